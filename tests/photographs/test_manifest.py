"""JSONL manifests: the rows that text-to-image training writes, read as labelled photographs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from core.errors import InputRefusedError
from core.taxonomy import CLASS_CODES
from photographs.sources import read_dataset
from tests.support.exports import export_to, put


def write(folder: Path, rows: list, name: str = "manifest.jsonl") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / name


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4)).save(path)
    return path


def rows_with_pictures(folder: Path, count: int, **more) -> list[dict]:
    for number in range(count):
        picture(folder / f"images/{number}.png")
    return [
        {"image_path": f"images/{n}.png", "caption": "a lesion", "mask_path": None, "label": CLASS_CODES[n % 7], **more}
        for n in range(count)
    ]


def test_labels_are_codes(tmp_path):
    manifest = write(tmp_path, rows_with_pictures(tmp_path, 7))
    found = read_dataset(manifest)
    assert found.kind == "jsonl"
    assert [(image.image_id, image.code) for image in found.images] == [
        (f"images/{number}.png", code) for number, code in enumerate(CLASS_CODES)
    ]


@pytest.mark.parametrize("label", ["MEL", "mel", "Melanoma", "melanoma (in situ)"])
def test_a_class_may_be_said_in_many_ways(tmp_path, label):
    rows = [row | {"label": label} for row in rows_with_pictures(tmp_path, 1)]
    assert [image.code for image in read_dataset(write(tmp_path, rows)).images] == ["MEL"]


def test_a_folder_of_manifests_is_read_whole(tmp_path):
    rows = rows_with_pictures(tmp_path, 4)
    write(tmp_path, rows[:2], "a.jsonl")
    (tmp_path / "b.json").write_text(json.dumps(rows[2:]), encoding="utf-8")
    (tmp_path / "settings.json").write_text('{"lr": 1}', encoding="utf-8")
    assert len(read_dataset(tmp_path).images) == 4


def test_lesions_and_parts_are_known_where_they_are_named(tmp_path):
    rows = rows_with_pictures(tmp_path, 2, group="one", label="AKIEC", split="valid")
    found = read_dataset(write(tmp_path, rows))
    assert found.grouped
    assert {(image.lesion_id, image.split) for image in found.images} == {("one", "val")}


def test_paths_may_be_relative_to_where_the_program_was_started(tmp_path, monkeypatch):
    picture(tmp_path / "data/x.png")
    manifest = write(tmp_path / "manifests", [{"image_path": "data/x.png", "caption": "", "label": "NV"}])
    monkeypatch.chdir(tmp_path)
    assert [image.path for image in read_dataset(manifest).images] == [tmp_path / "data/x.png"]


def test_paths_may_have_either_slash(tmp_path):
    rows = [row | {"image_path": row["image_path"].replace("/", "\\")} for row in rows_with_pictures(tmp_path, 1)]
    assert read_dataset(write(tmp_path, rows)).images[0].path == tmp_path / "images/0.png"


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '"x"', '{"label": 1}', '{"image_path": "images/0.png"}', '{"image_path": 3, "label": 1}',
     '{"image_path": "images/0.png", "label": 7}', '{"image_path": "images/0.png", "label": true}',
     '{"image_path": "images/0.png", "label": "sunny"}', '{"image_path": "images/0.png", "label": 1.5}',
     '{"image_path": "images/0.png", "label": Infinity}', '{"image_path": "images/0.png", "label": [1]}',
     '{"image_path": "images/0.png", "label": "MEL", "class": "NV"}', '{"image_path": "a\\u0000", "label": 1}'],
)  # fmt: skip
def test_few_bad_lines_are_counted_and_named_and_many_are_refused(tmp_path, line):
    rows = rows_with_pictures(tmp_path, 30)
    found = read_dataset(write(tmp_path, [*rows, line]))
    assert len(found.images) == 30
    assert any("1 of 31 lines" in note and "line 31" in note for note in found.notes)
    with pytest.raises(InputRefusedError, match="2 of 4 lines") as refused:
        read_dataset(write(tmp_path, [*rows[:2], line, line]))
    assert "label" in refused.value.remedy


def test_pictures_that_are_not_there_are_named(tmp_path):
    rows = [*rows_with_pictures(tmp_path, 40), {"image_path": "images/gone.png", "label": "MEL"}]
    found = read_dataset(write(tmp_path, rows))
    assert [path.name for path in found.missing] == ["gone.png"]


def test_no_text_is_no_manifest(tmp_path):
    (tmp_path / "x.jsonl").write_bytes(b'{"image_path": "\xff\xfe"}')
    with pytest.raises(InputRefusedError, match=r"x\.jsonl cannot be read"):
        read_dataset(tmp_path / "x.jsonl")


@pytest.mark.parametrize("form", ["jsonl", "hf", "imagefolder"])
def test_what_export_writes_is_read_again(tmp_path, form):
    for number, code in enumerate(("MEL", "NV", "NV")):
        put(tmp_path / "out", code, number, number)
    export_to(tmp_path / "out", tmp_path / form, format=form, split=None)
    source = tmp_path / form / "train" if form == "hf" else tmp_path / form
    assert sorted(image.code for image in read_dataset(source).images) == ["MEL", "NV", "NV"]


@pytest.mark.parametrize(("good", "bad", "is_read"), [(38, 2, True), (37, 2, False), (1, 1, True), (0, 1, False)])
def test_one_line_or_five_percent_of_them_may_be_bad(tmp_path, good, bad, is_read):
    manifest = write(tmp_path, ['{"image_path": "x"}'] * bad + rows_with_pictures(tmp_path, good))
    if is_read:
        found = read_dataset(manifest)
        assert len(found.images) == good
        assert f"{bad} of {good + bad} lines of {manifest} name no labelled image: line 1 (neither" in found.notes[0]
        assert found.notes[0].endswith("They are ignored.")
    else:
        with pytest.raises(InputRefusedError, match=f"^{bad} of {good + bad} lines"):
            read_dataset(manifest)


def test_lines_of_other_diagnoses_are_good_ones(tmp_path):
    rows = rows_with_pictures(tmp_path, 1) + [{"image_path": "x.png", "label": "SCC"}] * 37 + ["{", "{"]
    found = read_dataset(write(tmp_path, rows))
    assert "2 of 40 lines" in found.notes[0]
    assert len(found.images) == 1
    assert "SCC: 37" in " ".join(found.notes)


@pytest.mark.parametrize(("bad", "end"), [(3, "line 3 (no JSON object)."), (5, "line 3 (no JSON object) and 2 more.")])
def test_three_bad_lines_are_named(tmp_path, bad, end):
    with pytest.raises(InputRefusedError) as refused:
        read_dataset(write(tmp_path, ["{"] * bad + rows_with_pictures(tmp_path, 1)))
    assert str(refused.value.message).endswith(end)


@pytest.mark.parametrize(
    ("label", "problem"),
    [("x" * 58, f"label '{'x' * 58}' is none"), ("x" * 59, f"label '{'x' * 59}… is none"), ("+1.", "is a number"),
     (" 07.50 ", "is a number"), ("1e3", "is none of the seven"), (None, "neither class nor label")],
)  # fmt: skip
def test_what_is_wrong_with_a_line_is_said(tmp_path, label, problem):
    rows = rows_with_pictures(tmp_path, 1)
    found = read_dataset(write(tmp_path, [*rows, {"image_path": "y", "label": label}]))
    assert problem in found.notes[0]


def test_names_that_do_not_agree_are_both_said(tmp_path):
    rows = rows_with_pictures(tmp_path, 1)
    found = read_dataset(write(tmp_path, [*rows, {"image_path": "y", "label": "NV", "class": "melanoma", "dx": 4}]))
    assert "line 2 (it is called melanoma and NV)" in found.notes[0]
    agreeing = {"image_path": "images/0.png", "label": "mel", "class": "melanoma", "diagnosis": "Melanoma, NOS"}
    assert read_dataset(write(tmp_path, [agreeing])).images[0].code == "MEL"


def test_an_array_is_numbered_by_its_items_and_blank_lines_count(tmp_path):
    rows = rows_with_pictures(tmp_path, 1)
    (tmp_path / "a.json").write_text(f"\n {json.dumps([*rows, {}])}")
    assert "line 2 (no image_path)" in read_dataset(tmp_path / "a.json").notes[0]
    assert "line 4 (no image_path)" in read_dataset(write(tmp_path, ["", " ", json.dumps(rows[0]), "{}"])).notes[0]


def test_the_beginning_of_a_file_tells_a_manifest(tmp_path):
    row = json.dumps(rows_with_pictures(tmp_path, 1)[0])
    key = '"image_path"'
    for spaces, is_one in ((65_536 - len(key) - 1, True), (65_536 - len(key), False)):
        (tmp_path / "m.jsonl").write_text(" " * spaces + row)
        if is_one:
            assert len(read_dataset(tmp_path / "m.jsonl").images) == 1
        else:
            with pytest.raises(InputRefusedError):
                read_dataset(tmp_path / "m.jsonl")


def test_the_picture_beside_the_manifest_comes_before_one_where_the_program_was_started(tmp_path, monkeypatch):
    row = rows_with_pictures(tmp_path / "m", 1)[0]
    picture(tmp_path / row["image_path"])
    manifest = write(tmp_path / "m", [row, {"image_path": " gone.png ", "label": "NV"}])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputRefusedError, match=r"m/gone\.png"):
        read_dataset(manifest)
    (image,) = read_dataset(write(tmp_path / "m", [row])).images
    assert (image.image_id, image.path) == ("images/0.png", tmp_path / "m" / "images" / "0.png")
    (tmp_path / "m" / "images" / "0.png").unlink()
    (image,) = read_dataset(manifest.with_name("manifest.jsonl")).images
    assert image.image_id == image.path.as_posix() == (tmp_path / "images" / "0.png").as_posix()


def test_lesion_id_comes_before_group(tmp_path):
    rows = rows_with_pictures(tmp_path, 2, group="g")
    rows[0]["lesion_id"] = "L"
    rows[1]["lesion_id"] = "nan"
    rows[1]["label"] = rows[0]["label"]
    assert [image.lesion_id for image in read_dataset(write(tmp_path, rows)).images] == ["L", "g"]
