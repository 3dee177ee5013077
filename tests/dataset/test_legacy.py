"""Output folders of the predecessor, in every shape it left them, are read and continued without loss."""

import csv
import io
import json
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from core.generation import plan_class
from dataset.layout import Layout
from dataset.synthetic_dataset import SyntheticDataset, read_records
from tests.support.broken_os import BrokenOS, Killed
from tests.support.datasets import generate, make_request, table_rows

FIRST_MEL_SEED = 2133561722


def write_png(path, value=7):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(path)


def write_sidecar(png, class_code, seed, **changes):
    content = {
        "filename": png.name,
        "class": class_code,
        "seed": seed,
        "inference_steps": 50,
        "scheduler": {
            "num_train_timesteps": 1000,
            "beta_schedule": "squaredcos_cap_v2",
            "prediction_type": "epsilon",
        },
        "model": {"model_path": f"C:\\models\\unet_{class_code}_best.pth", "loaded_at": 1.7e9, "device": "cuda:0"},
        "device": "cuda:0",
        "noise_hash": "0123456789abcdef",
    }
    content.update(changes)
    png.with_suffix(".json").write_text(json.dumps({k: v for k, v in content.items() if v is not None}))


def write_csv(folder, rows, newline="\r\n", bom=""):
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator=newline)
    writer.writerow(["filename", "class", "isic_number", "source", "generated_at"])
    writer.writerows(rows)
    (folder / "synthetic_dataset.csv").write_bytes((bom + buffer.getvalue()).encode("utf-8"))


@pytest.fixture
def predecessor(tmp_path):
    """Two MEL images (the second without noise_hash), one NV of the same name, with the predecessor's table."""
    rows = []
    for code, number in (("MEL", 1), ("MEL", 2), ("NV", 1)):
        png = tmp_path / code / f"ISIC_{number:07d}.png"
        write_png(png, number)
        seed = FIRST_MEL_SEED + number - 1 if code == "MEL" else 1396962879
        write_sidecar(png, code, seed, **({"noise_hash": None} if number == 2 else {}))
        rows.append((png.name, code, number, "synthetic", f"17000000{number}0.25"))
    write_csv(tmp_path, rows)
    return tmp_path


def tree(folder):
    """Everything outside the program's own folder, except the table."""
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".isicgui" not in path.parts and path.suffix != ".csv"
    }


def pairs(folder):
    return sorted((row["class"], row["filename"]) for row in table_rows(folder))


def backups(folder):
    return [path.read_bytes() for path in Layout(folder).state.glob("table-*.csv")]


def test_a_folder_is_taken_over_without_touching_a_picture_or_sidecar(predecessor):
    before, table = tree(predecessor), (predecessor / "synthetic_dataset.csv").read_bytes()
    with SyntheticDataset.open(predecessor) as dataset:
        assert dataset.seeds("MEL") == {FIRST_MEL_SEED, FIRST_MEL_SEED + 1}
        assert dataset.seeds("NV") == {1396962879}
        assert dataset.unfinished() == ()
    assert tree(predecessor) == before
    assert backups(predecessor) == [table]
    rows = {(row["class"], row["filename"]): row for row in table_rows(predecessor)}
    assert len(rows) == 3
    assert rows["MEL", "ISIC_0000001.png"]["generated_at"] == "1700000010.25"
    assert rows["MEL", "ISIC_0000001.png"]["weights"] == "unet_MEL_best.pth"
    assert rows["MEL", "ISIC_0000001.png"]["noise_hash"] == "0123456789abcdef"
    assert rows["MEL", "ISIC_0000002.png"]["noise_hash"] == ""
    assert rows["NV", "ISIC_0000001.png"]["seed"] == "1396962879"


def test_a_new_run_continues_the_numbers_and_does_not_repeat_a_seed(predecessor):
    before = tree(predecessor)
    generate(predecessor, "MEL=2,NV=1")
    after = tree(predecessor)
    assert before.items() <= after.items()
    assert {"MEL/ISIC_0000003.png", "MEL/ISIC_0000004.png", "NV/ISIC_0000002.png"} <= {p.as_posix() for p in after}
    seeds = [row["seed"] for row in table_rows(predecessor) if row["class"] == "MEL"]
    assert seeds == [str(FIRST_MEL_SEED + i) for i in range(4)]


def test_opening_again_changes_nothing(predecessor):
    with SyntheticDataset.open(predecessor):
        pass
    table, journal = (predecessor / "synthetic_dataset.csv").read_bytes(), Layout(predecessor).journal.read_bytes()
    with SyntheticDataset.open(predecessor) as dataset:
        assert dataset.notices == ()
    assert (predecessor / "synthetic_dataset.csv").read_bytes() == table
    assert Layout(predecessor).journal.read_bytes() == journal


def test_reading_needs_no_take_over_and_writes_nothing(predecessor):
    before = sorted(predecessor.rglob("*"))
    records = read_records(predecessor)
    assert sorted(predecessor.rglob("*")) == before
    assert {(r.class_code, r.isic_number, r.seed) for r in records} == {
        ("MEL", 1, FIRST_MEL_SEED),
        ("MEL", 2, FIRST_MEL_SEED + 1),
        ("NV", 1, 1396962879),
    }
    assert {r.generated_at for r in records if r.isic_number == 1} == {1700000010.25}


def test_table_missing(predecessor):
    (predecessor / "synthetic_dataset.csv").unlink()
    generate(predecessor, "MEL=1")
    assert pairs(predecessor) == [
        ("MEL", "ISIC_0000001.png"),
        ("MEL", "ISIC_0000002.png"),
        ("MEL", "ISIC_0000003.png"),
        ("NV", "ISIC_0000001.png"),
    ]
    first = read_records(predecessor)[0]
    assert first.generated_at == first.path.stat().st_mtime


def test_rows_without_a_file_keep_their_number_and_live_on_in_the_backup(predecessor):
    write_csv(predecessor, [("ISIC_0000050.png", "MEL", 50, "synthetic", "1.5")])
    for _ in range(2):  # the second opening knows it from the journal alone
        with SyntheticDataset.open(predecessor) as dataset:
            request = make_request(predecessor, "MEL=1")
            planned = list(plan_class(request, "MEL", 1, dataset.seeds("MEL")))
            assert dataset._state.numbering.highest()["MEL"] == 50
    with SyntheticDataset.open(predecessor) as dataset:
        assert dataset.begin_run(request, planned).slots[0].isic_number == 51
    assert b"ISIC_0000050" in backups(predecessor)[0]
    assert len(pairs(predecessor)) == 3


def test_files_without_row_and_without_sidecar_get_a_row(predecessor):
    write_png(predecessor / "BCC" / "ISIC_0000012.png")
    with SyntheticDataset.open(predecessor) as dataset:
        assert dataset.seeds("BCC") == frozenset()
    (row,) = [row for row in table_rows(predecessor) if row["class"] == "BCC"]
    assert (row["filename"], row["isic_number"], row["seed"]) == ("ISIC_0000012.png", "12", "")


def test_jpg_png_names_of_old_commits(tmp_path):
    write_png(tmp_path / "DF" / "ISIC_0000003.jpg.png")
    write_png(tmp_path / "DF" / "ISIC_0000003.png")
    write_csv(tmp_path, [("ISIC_0000003.jpg", "DF", 3, "synthetic", "12.5")])
    generate(tmp_path, "DF=1")
    assert pairs(tmp_path) == [("DF", "ISIC_0000003.jpg.png"), ("DF", "ISIC_0000003.png"), ("DF", "ISIC_0000004.png")]
    rows = {row["filename"]: row for row in table_rows(tmp_path)}
    assert rows["ISIC_0000003.jpg.png"]["generated_at"] == "12.5"


def test_numbers_of_lone_sidecars_and_jpegs_are_not_used_again(tmp_path):
    (tmp_path / "VASC").mkdir()
    (tmp_path / "VASC" / "ISIC_0000007.json").write_text("{}")
    (tmp_path / "AKIEC").mkdir()
    (tmp_path / "AKIEC" / "ISIC_0034321.jpg").write_bytes(b"jpeg")
    generate(tmp_path, "VASC=1,AKIEC=1")
    assert pairs(tmp_path) == [("AKIEC", "ISIC_0034322.png"), ("VASC", "ISIC_0000008.png")]
    assert (tmp_path / "VASC" / "ISIC_0000007.json").read_text() == "{}"


@pytest.mark.parametrize(("newline", "bom"), [("\n", ""), ("\r\n", "\ufeff")])
def test_line_ends_and_byte_order_marks(tmp_path, newline, bom):
    write_png(tmp_path / "MEL" / "ISIC_0000001.png")
    write_csv(tmp_path, [("ISIC_0000001.png", "MEL", 1, "synthetic", "3.25")], newline, bom)
    with SyntheticDataset.open(tmp_path):
        pass
    assert [row["generated_at"] for row in table_rows(tmp_path)] == ["3.25"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\0\0",
        b"\xff\xfe\xfa",
        b'"never closed',
        b"a;b;c\n1;2;3\n",
        b"filename,class\n,\nx\n\n",
        b"x" * 200_000,
    ],
)
def test_a_table_that_makes_no_sense_is_kept_and_replaced(predecessor, content):
    (predecessor / "synthetic_dataset.csv").write_bytes(content)
    with SyntheticDataset.open(predecessor):
        pass
    assert len(pairs(predecessor)) == 3
    assert backups(predecessor) == ([content] if content.strip(b"\0") else [])


@pytest.mark.parametrize("content", ["", "[]", "null", "{", '{"seed": "many", "model": 3}', "\ufeff{}"])
def test_a_sidecar_that_makes_no_sense_tells_nothing(tmp_path, content):
    png = tmp_path / "MEL" / "ISIC_0000001.png"
    write_png(png)
    png.with_suffix(".json").write_text(content, encoding="utf-8")
    with SyntheticDataset.open(tmp_path) as dataset:
        assert dataset.seeds("MEL") == frozenset()
    assert png.with_suffix(".json").read_text(encoding="utf-8") == content
    assert pairs(tmp_path) == [("MEL", "ISIC_0000001.png")]


def test_half_pictures_of_a_killed_predecessor_are_named(predecessor):
    (predecessor / "MEL" / "ISIC_0000002.png").write_bytes(b"\x89PNG\r\n\x1a\n half")
    with SyntheticDataset.open(predecessor) as dataset:
        assert any("ISIC_0000002.png" in notice for notice in dataset.notices)
    assert pairs(predecessor) == [("MEL", "ISIC_0000001.png"), ("NV", "ISIC_0000001.png")]
    assert (predecessor / "MEL" / "ISIC_0000002.png").read_bytes().endswith(b" half")


def test_a_kill_anywhere_in_the_take_over_loses_nothing(predecessor, tmp_path_factory, monkeypatch):
    content, table = tree(predecessor), (predecessor / "synthetic_dataset.csv").read_bytes()
    at, fired = 0, True
    while fired:
        at += 1
        folder = tmp_path_factory.mktemp("copy")
        for name, data in content.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
        (folder / "synthetic_dataset.csv").write_bytes(table)
        system = BrokenOS(at, Killed, lasting=True, torn=True)
        with system.installed(monkeypatch), suppress(Killed), SyntheticDataset.open(folder):
            pass
        fired = system.fired
        with SyntheticDataset.open(folder) as dataset:
            assert len(dataset.seeds("MEL")) == 2
        assert tree(folder) == content
        assert backups(folder) == [table]
        assert len(pairs(folder)) == 3
        assert {row["generated_at"] for row in table_rows(folder)} == {"1700000010.25", "1700000020.25"}
    assert at > 15
