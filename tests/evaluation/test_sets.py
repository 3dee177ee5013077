"""Whatever a folder holds is read, and what is wrong with it is named, counted and survived."""

import numpy as np
import pytest
from PIL import Image

from core.errors import InputRefusedError
from evaluation.sets import divide, read_set
from tests.support.picture_sets import spot, write_folders, write_labelled


def test_a_labelled_data_set_keeps_classes_and_lesions(tmp_path):
    found = read_set(write_labelled(tmp_path / "data", {"NV": 4, "MEL": 6}))
    assert found.counts == {"MEL": 6, "NV": 4}
    assert found.grouped
    assert len(set(found.lesions)) == 5
    assert (found.side, found.notes, found.unreadable) == (48, (), ())


def test_an_output_folder_is_read_by_its_class_folders(tmp_path):
    write_folders(tmp_path / "out", {"MEL": 3, "DF": 2})
    (tmp_path / "out/synthetic_dataset.csv").write_text("filename,class\n")
    (tmp_path / "out/.isicgui").mkdir()
    (tmp_path / "out/xai_results/run").mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(tmp_path / "out/xai_results/run/overlay.png")
    found = read_set(tmp_path / "out")
    assert found.counts == {"MEL": 3, "DF": 2}
    assert not found.grouped


def test_a_heap_of_pictures_is_a_set_without_classes(tmp_path):
    for number in range(3):
        (tmp_path / "deep").mkdir(exist_ok=True)
        Image.fromarray(spot(number)).save(tmp_path / "deep" / f"{number}.jpg")
    found = read_set(tmp_path)
    assert (len(found), found.counts) == (3, {})
    assert found.labels.tolist() == [-1, -1, -1]
    assert "folder of images" in found.notes[0]


def test_the_same_picture_in_two_classes_is_still_a_set(tmp_path):
    write_folders(tmp_path / "out", {"MEL": 2, "NV": 2}, paint=lambda seed, side: np.zeros((side, side, 3), np.uint8))
    assert read_set(tmp_path / "out").counts == {"MEL": 2, "NV": 2}


def test_unreadable_files_are_named_counted_and_left_out(tmp_path):
    write_folders(tmp_path / "out", {"MEL": 4})
    (tmp_path / "out/MEL/ISIC_0000001.png").write_bytes(b"")
    (tmp_path / "out/MEL/ISIC_0000002.png").write_text("no picture")
    found = read_set(tmp_path / "out")
    assert len(found) == 2
    assert [path.name for path, _ in found.unreadable] == ["ISIC_0000001.png", "ISIC_0000002.png"]
    assert "Skipped because unreadable: 2 files" in found.notes[0]
    assert found.pixels(48).shape == (2, 3, 48, 48)


def test_mixed_sizes_are_told_and_compared_at_the_commonest(tmp_path):
    write_folders(tmp_path / "out", {"MEL": 3})
    Image.fromarray(spot(1, 96)).resize((96, 64)).save(tmp_path / "out/MEL/ISIC_0000009.png")
    found = read_set(tmp_path / "out")
    assert found.side == 48
    assert "48×48 (3), 96×64 (1)" in found.notes[0]
    assert found.pixels(32).shape == (4, 3, 32, 32)


@pytest.mark.parametrize("content", ["nothing", "text", "broken"])
def test_a_folder_without_a_picture_is_refused(tmp_path, content):
    folder = tmp_path / "set"
    if content != "nothing":
        folder.mkdir()
    if content == "text":
        (folder / "notes.txt").touch()
    if content == "broken":
        (folder / "a.png").write_bytes(b"\x89PNG")
    with pytest.raises(InputRefusedError, match=r"There is no|holds no images|can be read"):
        read_set(folder)


def test_one_data_set_is_divided_by_lesion(tmp_path):
    whole = read_set(write_labelled(tmp_path / "data", {"MEL": 40, "NV": 40}))
    train, held = divide(whole)
    assert len(train) + len(held) == 80
    assert not set(train.lesions) & set(held.lesions)
    assert held.counts.keys() == train.counts.keys() == {"MEL", "NV"}


def test_parts_that_a_data_set_reserves_are_never_learnt_from(tmp_path):
    write_labelled(tmp_path / "data", {"MEL": 40})
    lines = (tmp_path / "data/labels.csv").read_text().splitlines()
    parted = [f"{lines[0]},split", *(f"{line},{'val' if n < 4 else 'train'}" for n, line in enumerate(lines[1:]))]
    (tmp_path / "data/labels.csv").write_text("\n".join(parted))
    train, held = divide(read_set(tmp_path / "data"))
    assert {"MEL0", "MEL1", "MEL2", "MEL3"} <= {image.name for image in held.images}
    assert len(train) + len(held) == 40
