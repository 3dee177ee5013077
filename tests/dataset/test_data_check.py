"""`data check`: what a data set holds, told before anything is made of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import InputRefusedError
from core.jobs.registry import run
from core.taxonomy import CLASS_CODES
from dataset.data_check import SHEET, DataChecked, DataCheckRequest
from tests.support.labelled_data import write_csv_dataset, write_image_folder, write_labelled_folder


def checked(folder: Path, **more) -> DataChecked:
    *_, found = run(DataCheckRequest(folder, **more))
    assert isinstance(found, DataChecked)
    json.dumps(found.to_json(), allow_nan=False)
    return found


def test_a_labelled_folder_with_masks_and_lesions(tmp_path):
    folder = write_labelled_folder(tmp_path / "photographs", lesions=4)
    for name in ("MEL_0_0_segmentation", "NV_0_0"):
        mask = np.zeros((24, 24), np.uint8)
        mask[4:9] = name.startswith("M")
        (folder / "masks").mkdir(exist_ok=True)
        Image.fromarray(mask).save(folder / "masks" / f"{name}.png")
    found = checked(folder)
    assert (found.kind, found.grouped, found.total) == ("labels.csv", True, 42)
    assert found.classes == dict.fromkeys(CLASS_CODES, 6)
    assert found.lesions == dict.fromkeys(CLASS_CODES, 4)
    assert not found.leaks
    assert "held-out images" in found.leakage
    assert found.masks is not None
    assert {key: found.masks[key] for key in ("found", "of", "empty", "unused")} == {
        "found": 2, "of": 42, "empty": 1, "unused": 0,
    }  # fmt: skip
    assert found.sizes == {"24x24": 42}
    assert found.sheet is None


def test_what_is_odd_is_said(tmp_path):
    folder = write_image_folder(tmp_path)
    Image.new("RGB", (40, 30)).save(folder / "MEL" / "large.png")
    (folder / "NV" / "copy.png").write_bytes((folder / "NV" / "0.png").read_bytes())
    (folder / "BCC" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "BCC" / "0_superpixels.png").write_bytes((folder / "BCC" / "0.png").read_bytes())
    found = checked(folder)
    assert found.total == 17
    assert found.copies == 1
    assert found.sizes == {"24x24": 15, "40x30": 1}
    assert [Path(path).name for path, _ in found.unreadable] == ["broken.png"]
    notes = " ".join(found.notes)
    for words in ("40×30 (1)", "Exact copies of others: 1 photograph.", "broken.png", "0_superpixels.png"):
        assert words in notes


def test_pictures_that_nothing_labels_are_counted_all_the_same(tmp_path):
    for name in ("a.png", "b.webp", "x/melanoma/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), "red").save(tmp_path / name)
    found = checked(tmp_path)
    assert (found.kind, found.form, found.total) == ("", "", 3)
    assert found.classes == {"MEL": 1}
    assert "Nothing labels these photographs" in found.notes[0]


def test_a_table_and_a_sheet_of_its_classes(tmp_path):
    table = write_csv_dataset(tmp_path / "photographs")
    found = checked(table, output=tmp_path / "look")
    assert found.kind == "csv"
    assert found.sheet == tmp_path / "look" / SHEET
    sheet = np.asarray(Image.open(found.sheet).convert("RGB"))
    rows = [sheet[row * 100 + 48, 64 + 48] for row in range(7)]
    for label, middle in enumerate(rows):
        assert [bool(channel > 110) for channel in middle] == [bool(label >> bit & 1) for bit in range(3)]


def test_refusals(tmp_path):
    with pytest.raises(InputRefusedError):
        checked(tmp_path / "none")
    with pytest.raises(InputRefusedError, match="holds no images"):
        checked(tmp_path)
    write_image_folder(tmp_path / "set")
    with pytest.raises(InputRefusedError, match="There is no folder"):
        checked(tmp_path / "set", masks=tmp_path / "gone")


def test_a_mask_that_cannot_be_read_is_counted_and_named(tmp_path):
    folder = write_image_folder(tmp_path)
    (folder / "masks" / "MEL").mkdir(parents=True)
    (folder / "masks" / "MEL" / "0.png").write_bytes(b"no picture")
    found = checked(folder)
    assert found.masks is not None
    assert (found.masks["found"], found.masks["unreadable"]) == (1, 1)
    assert "0.png" in found.notes[-1]
