"""What the window says of photographs before it trains on them."""

import csv

import pytest

from core.errors import InputRefusedError
from dataset.overview import overview


def write(folder, rows, head=("id", "class", "lesion_id", "path", "split")):
    folder.mkdir(exist_ok=True)
    with (folder / "labels.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([head, *rows])
    for row in rows:
        (folder / row[3]).touch()
    return folder


def rows(split=lambda number: ""):
    return [
        (f"{code}{n}", code, f"{code}{n // 3}", f"{code}{n}.png", split(n)) for code in ("NV", "MEL") for n in range(12)
    ]


def test_counts_lesions_and_leakage_are_told(tmp_path):
    found = overview(write(tmp_path / "data", rows()))
    assert (found.kind, found.grouped, found.licence) == ("labels.csv", True, "unknown")
    assert found.images == {"MEL": 12, "NV": 12}
    assert list(found.images) == ["MEL", "NV"]
    assert found.lesions == {"MEL": 4, "NV": 4}
    assert found.leakage.startswith("0 of")
    assert not found.leaks
    assert not found.masks


def test_a_split_of_its_own_that_leaks_is_told(tmp_path):
    found = overview(write(tmp_path / "data", rows(lambda n: "test" if n % 3 == 0 else "train")))
    assert found.leaks
    assert "show a lesion that is also in training" in found.leakage


def test_class_folders_name_no_lesions_and_their_masks_are_seen(tmp_path):
    for name in ("MEL/a.png", "NV/b.png", "masks/a.png"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).touch()
    found = overview(tmp_path / "data")
    assert (found.kind, found.grouped, found.leakage, found.masks) == ("imagefolder", False, "", True)
    assert found.lesions == {"MEL": 1, "NV": 1}
    assert any("has no lesion identifiers" in note for note in found.notes)


def test_what_is_no_data_set_is_refused(tmp_path):
    with pytest.raises(InputRefusedError, match="no data set"):
        overview(tmp_path)
