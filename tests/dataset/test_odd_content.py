"""One odd value, in whatever file of an output folder, is named and passed over; everything else goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import InputRefusedError
from core.files.folder_lock import who_holds
from dataset.layout import MAX_NUMBER, Layout, image_number
from dataset.png import read_recipe
from dataset.ratings import Rating, read_ratings, write_ratings
from dataset.reading import read_deletions, read_records
from dataset.recipe import PNG_KEY
from dataset.synthetic_dataset import SyntheticDataset
from tests.support.datasets import assert_consistent, generate, image_files, pixels_by_seed, table_rows

NESTED = "[" * 5000
HUGE = "1" + "0" * 400


@pytest.fixture
def output(tmp_path: Path) -> Path:
    generate(tmp_path, "MEL=2,NV=1")
    return tmp_path


def lines_of(output: Path) -> list[str]:
    return Layout(output).journal.read_text(encoding="utf-8").split("\n")[:-1]


def line_of(output: Path, kind: str) -> dict[str, object]:
    return next(line for line in map(json.loads, lines_of(output)) if line["type"] == kind)


def add_line(output: Path, text: str) -> int:
    with Layout(output).journal.open("a", encoding="utf-8") as file:
        file.write(text + "\n")
    return len(lines_of(output))


def odd(line: dict[str, object], **changes: object) -> str:
    return json.dumps({**line, **changes}).replace('"HUGE"', HUGE).replace('"1E300"', "1e300").replace('"NAN"', "NaN")


IMAGE_CHANGES = [
    {"class": "XXX"}, {"class": ["MEL"]}, {"class": 3}, {"class": None}, {"file": "../ISIC_0000001.png"},
    {"file": "ISIC_0000001.txt"}, {"file": 7}, {"file": {}}, {"isic_number": "1E300"}, {"isic_number": "HUGE"},
    {"isic_number": "1"}, {"isic_number": 2.0}, {"isic_number": -1}, {"isic_number": 77}, {"seed": "HUGE"},
    {"seed": "7"}, {"seed": [7]}, {"generated_at": "NAN"}, {"generated_at": "1E300"}, {"generated_at": "HUGE"},
    {"generated_at": "yesterday"}, {"generated_at": -5}, {"generated_at": None}, {"steps": "1E300"}, {"index": {}},
    {"guidance": "NAN"}, {"guidance": "HUGE"}, {"run_id": ["x"]}, {"run_id": 7}, {"source": {"a": 1}},
    {"weights": ["x"]}, {"noise_hash": 12},
]  # fmt: skip


@pytest.mark.parametrize("change", IMAGE_CHANGES, ids=json.dumps)
def test_an_odd_value_in_an_image_line_costs_nothing_but_that_line(output, change):
    before = pixels_by_seed(output)
    number = add_line(output, odd(line_of(output, "image"), **change))
    assert len(read_records(output)) == 3
    with SyntheticDataset.open(output) as dataset:
        (notice,) = dataset.notices
    assert f"line {number}" in notice
    assert pixels_by_seed(output) == before
    generate(output, "MEL=1")
    assert len(table_rows(output)) == 4
    assert_consistent(output)


def run(code: str, numbers: object, indices: object, seeds: object) -> str:
    columns = {"numbers": numbers, "indices": indices, "seeds": seeds}
    return json.dumps({"type": "run", "run_id": "x", "request": {}, "plan": {code: columns}})


OTHER_LINES = [
    NESTED, '{"type":' * 3000, "null", "7", '"run"', "[]", "{}", '{"type": null}', '{"type": ["run"]}',
    '{"type": "run"}', '{"type": "run", "run_id": "x", "request": {}, "plan": []}',
    '{"type": "run", "run_id": 3, "request": {}, "plan": {}}',
    '{"type": "run", "run_id": "x", "request": [], "plan": {}}',
    run("MEL", [5], [], []), run("MEL", 5, 5, 5), run("MEL", "5", "5", "5"), run("MEL", [1e300], [1], [1]),
    run("MEL", [-1], [1], [1]), run("MEL", [MAX_NUMBER + 1], [1], [1]), run("MEL", [1], [1.5], [1]),
    run("MEL", [1], [1], [2**40]), run("..", [1], [1], [1]), run("/etc", [1], [1], [1]), run("", [1], [1], [1]),
    '{"type": "end"}', '{"type": "end", "run_id": [], "status": "completed"}',
    '{"type": "end", "run_id": "x", "status": 1}',
    '{"type": "discard", "run_id": {}}', '{"type": "discard"}', '{"type": "import", "highest": 5}',
    '{"type": "import", "highest": {"MEL": 1e300}}', '{"type": "import", "highest": {"MEL": "5"}}',
    '{"type": "import", "highest": {"/etc": 5}}', '{"type": "trash", "trash_id": 5, "files": {}}',
    '{"type": "trash", "trash_id": "a", "files": {"MEL": "abc"}}', '{"type": "trash", "trash_id": "a", "files": []}',
    '{"type": "trash", "trash_id": "a\\n", "files": {}}', '{"type": "restore", "trash_id": []}',
    '{"type": "trash-end", "trash_id": "a", "inside": {}, "back": 3}', "\x00", '{"type": "image", "a": "\x01"}',
]  # fmt: skip


@pytest.mark.parametrize("text", OTHER_LINES, ids=lambda text: text[:60])
def test_an_odd_line_of_any_type_is_named_and_set_aside(output, text):
    number = add_line(output, text)
    assert len(read_records(output)) == 3
    assert read_deletions(output) == []
    with SyntheticDataset.open(output) as dataset:
        (notice,) = dataset.notices
        assert f"line {number}" in notice
        assert dataset.unfinished() == ()
    assert text not in lines_of(output)
    generate(output, "MEL=1")
    assert image_files(output)[2].name == "ISIC_0000003.png"
    assert_consistent(output)


REQUESTS = [
    {"counts": {"MEL": 10**9}}, {"counts": {"MEL": "4"}}, {"counts": []}, {"counts": {"MEL": 1e300}}, {"steps": "x"},
    {"steps": None}, {"shard": []}, {"shard": "ab"}, {"shard": [1, 2, 3]}, {"models": 5}, {"models": None},
    {"guidance": "NAN"}, {"seed": []}, {"batch_size": {}}, {"sampler": []}, {"xai_every": "HUGE"},
]  # fmt: skip


@pytest.mark.parametrize("change", REQUESTS, ids=json.dumps)
def test_a_run_that_nobody_can_have_asked_for_is_not_resumed_and_keeps_its_numbers(output, change):
    line = line_of(output, "run")
    request = {**line["request"], **change}
    plan = {"MEL": {"numbers": [7], "indices": [9], "seeds": [99]}}
    add_line(output, odd(line, run_id="odd", request=request, plan=plan))
    read_records(output)
    with SyntheticDataset.open(output) as dataset:
        assert dataset.unfinished() == ()
    generate(output, "MEL=1")
    assert_consistent(output)


def test_a_journal_of_rubbish_names_a_few_lines_only(output):
    with Layout(output).journal.open("a") as file:
        file.write("rubbish\n" * 10_000)
    with SyntheticDataset.open(output) as dataset:
        (notice,) = dataset.notices
    assert "9995 more" in notice
    assert len(notice) < 500
    assert_consistent(output)


@pytest.mark.parametrize(
    "name", ["ISIC_999999999999.txt", "ISIC_999999999999.png", "ISIC_999999999.json", "ISIC_9999999999999.txt",
             "ISIC_1000000000.txt", "ISIC_999999998.png", "isic_99999999999.JPG"],
)  # fmt: skip
def test_whatever_number_lies_there_new_images_can_be_read_back(output, name):
    (output / "MEL" / name).write_text("not an image")
    generate(output, "MEL=3")
    generate(output, "MEL=2")
    assert len([record for record in read_records(output) if record.path.name != name]) == 8
    assert all(image_number(path.name) for path in image_files(output))
    assert (output / "MEL" / name).read_text() == "not an image"
    numbers = [row["isic_number"] for row in table_rows(output) if row["class"] == "MEL"]
    assert len(set(numbers)) == 7
    Layout(output).journal.unlink()
    generate(output, "MEL=1")
    assert len([record for record in read_records(output) if record.path.name != name]) == 9


@pytest.mark.parametrize("number", [10**12 - 1, 10**12, 10**15, 2**53])
def test_whatever_number_was_imported_new_images_can_be_read_back(output, number):
    add_line(output, json.dumps({"type": "import", "highest": {"MEL": number}}))
    (output / "synthetic_dataset.csv").write_text(
        f"filename,class,isic_number,source,generated_at\nISIC_{number}.png,MEL,{number},synthetic,1.5\n"
        "ISIC_0000005.png,MEL,1e300,synthetic,1.5\n"
    )
    generate(output, "MEL=2")
    assert len(read_records(output)) == 5
    assert sorted(path.name for path in image_files(output))[-2:] == ["ISIC_0000006.png", "ISIC_0000007.png"]
    assert_consistent(output)


@pytest.mark.parametrize("when", ["nan", "inf", "-inf", "1e300", "-5", "", "soon", "1" * 500, "1_0"])
def test_a_time_in_an_old_table_that_is_none_is_taken_from_the_file(tmp_path, when):
    (tmp_path / "MEL").mkdir()
    generate(tmp_path / "other", "MEL=1")
    png = tmp_path / "MEL" / "ISIC_0000001.png"
    png.write_bytes(strip_recipe(image_files(tmp_path / "other")[0]))
    text = f"filename,class,isic_number,source,generated_at\n{png.name},MEL,1,synthetic,{when}\n"
    (tmp_path / "synthetic_dataset.csv").write_text(text)
    for _ in range(2):
        with SyntheticDataset.open(tmp_path):
            pass
        (record,) = read_records(tmp_path)
        assert record.generated_at in (png.stat().st_mtime, 10.0)
    assert len(table_rows(tmp_path)) == 1


def strip_recipe(path: Path) -> bytes:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("row", ['"' + "x" * 200_000, '"open,MEL', "\x00\x00", "=1,=2,=3", "," * 5000])
def test_one_odd_row_of_an_old_table_costs_only_itself(tmp_path, row):
    (tmp_path / "MEL").mkdir()
    generate(tmp_path / "other", "MEL=1")
    (tmp_path / "MEL" / "ISIC_0000001.png").write_bytes(strip_recipe(image_files(tmp_path / "other")[0]))
    head = "filename,class,isic_number,source,generated_at\n"
    text = f"{head}{row}\nISIC_0000001.png,MEL,1,camera,1700000000.5\n{row}\n"
    (tmp_path / "synthetic_dataset.csv").write_text(text)
    with SyntheticDataset.open(tmp_path):
        pass
    (record,) = read_records(tmp_path)
    assert (record.source, record.generated_at) == ("camera", 1700000000.5)


SIDECARS = [
    NESTED, "{", "[]", "null", "\xff", '{"seed": 1e300}', '{"seed": HUGE}', '{"seed": [], "noise_hash": {"a": 1}}',
    '{"model": {"model_path": [1]}, "inference_steps": HUGE}', '{"recipe": []}', '{"recipe": {"class": "MEL"}}',
    '{"recipe": {"class": ["MEL"]}}', '{"recipe": 5, "seed": -1}', json.dumps({"noise_hash": "x" * 10_000}),
]  # fmt: skip


@pytest.mark.parametrize("text", SIDECARS, ids=lambda text: text[:50])
def test_an_odd_sidecar_of_an_old_picture_leaves_the_picture(tmp_path, text):
    generate(tmp_path / "other", "MEL=1")
    png = tmp_path / "MEL" / "ISIC_0000001.png"
    png.parent.mkdir()
    png.write_bytes(strip_recipe(image_files(tmp_path / "other")[0]))
    png.with_suffix(".json").write_text(text.replace("HUGE", HUGE), encoding="latin-1")
    for _ in range(2):
        assert len(read_records(tmp_path)) == 1
        with SyntheticDataset.open(tmp_path) as dataset:
            assert not any("journal" in notice for notice in dataset.notices)
    generate(tmp_path, "MEL=1")
    assert len(read_records(tmp_path)) == 2


def with_recipe(path: Path, text: str, *, packed: bool = False) -> None:
    from PIL import Image, PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_itxt(PNG_KEY, text, zip=packed)
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)


def recipe_of(output: Path, **changes: object) -> str:
    sidecar = json.loads(image_files(output)[0].with_suffix(".json").read_text())
    return odd(sidecar["recipe"], **changes)


RECIPE_CHANGES = [
    {"class": "XXX"}, {"class": ["MEL"]}, {"class": {}}, {"seed": "HUGE"}, {"seed": -1}, {"seed": "1"}, {"seed": True},
    {"steps": 10**9}, {"steps": 0}, {"steps": "1E300"}, {"index": -1}, {"scheduler": []}, {"scheduler": "x"},
    {"scheduler": {"num_train_timesteps": 10**9}}, {"scheduler": {"num_train_timesteps": "HUGE"}},
    {"scheduler": {f"k{n}": n for n in range(10_000)}}, {"guidance": "NAN"}, {"guidance": []}, {"weights": 5},
    {"weights_sha256": None}, {"models": ["/"]}, {"color": []}, {"color": {"mean": [1]}},
    {"color": {"mean": [1, 2, "NAN"], "std": [1, 2, 3]}}, {"batch_size": 10**9}, {"threads": "HUGE"},
    {"image_size": -8},
    {"versions": [1]}, {"versions": {"torch": 2}}, {"run_id": 5}, {"created": {}}, {"device": 0}, {"noise_hash": []},
]  # fmt: skip


@pytest.mark.parametrize("change", RECIPE_CHANGES, ids=lambda change: json.dumps(change)[:60])
def test_an_odd_recipe_inside_a_picture_is_refused_and_the_picture_is_one_without(output, change):
    path = output / "MEL" / "ISIC_0000009.png"
    with_recipe(path, recipe_of(output, **change))
    with pytest.raises(InputRefusedError):
        read_recipe(path)
    generate(output, "MEL=1")
    assert len(read_records(output)) == 5
    assert len(table_rows(output)) == 5


@pytest.mark.parametrize(
    ("text", "packed"), [(NESTED, False), ("{", False), ("x" * 30_000_000, True), ("x" * 5_000_000, False)]
)
def test_a_text_in_a_picture_that_is_no_recipe_or_a_bomb_is_refused(output, text, packed):
    path = output / "MEL" / "ISIC_0000009.png"
    with_recipe(path, text, packed=packed)
    with pytest.raises(InputRefusedError):
        read_recipe(path)
    generate(output, "MEL=1")
    assert len(read_records(output)) == 5


@pytest.mark.parametrize(
    "text",
    [NESTED, "{", "7", '{"class": ["MEL"], "file": "x", "stars": 1, "rejected": false}',
     '{"class": "MEL", "file": "../x", "stars": 1, "rejected": false}',
     '{"class": "MEL", "file": "x", "stars": 1e300, "rejected": false}',
     '{"class": "MEL", "file": "x", "stars": true, "rejected": false}',
     '{"class": "MEL", "file": "x", "stars": 9, "rejected": false}', "\x00"],
)  # fmt: skip
def test_an_odd_rating_costs_only_itself(output, text):
    key = "MEL", "ISIC_0000001.png"
    write_ratings(output, {key: Rating(3)})
    with Layout(output).ratings.open("a") as file:
        file.write(text + "\n")
    assert read_ratings(output) == {key: Rating(3)}
    write_ratings(output, {key: Rating(4)})
    assert read_ratings(output) == {key: Rating(4)}


@pytest.mark.parametrize(
    "text",
    [NESTED, "{", "[]", '{"pid": HUGE}', '{"pid": 1e300}', '{"pid": -1, "since": 5}', '{"pid": true}',
     '{"pid": 1, "since": "0001-01-01T00:00:00+14:00", "host": []}', '{"pid": 1, "since": "9999-12-31T23:59:59-14:00"}',
     "\xff\xfe", "x" * (2 << 20)],
)  # fmt: skip
def test_an_odd_note_of_a_holder_stops_nobody(output, text):
    note = Layout(output).state / "lock.json"
    note.write_text(text.replace("HUGE", HUGE), encoding="latin-1")
    who_holds(Layout(output).state)
    generate(output, "MEL=1")
    assert_consistent(output)


def test_names_that_are_no_utf8_in_the_request_come_back(output):
    from core.generation import GenerationRequest

    line = line_of(output, "run")
    text = odd(line, run_id="bytes", request={**line["request"], "models": "/models/\udcff"}, plan={
        "MEL": {"numbers": [7], "indices": [9], "seeds": [99]}})  # fmt: skip
    add_line(output, text)
    with SyntheticDataset.open(output) as dataset:
        assert dataset.notices == ()
        (run,) = dataset.unfinished()
    assert isinstance(run.request, GenerationRequest)
    assert str(run.request.models) == "/models/\udcff"
