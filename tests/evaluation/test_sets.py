"""Whatever a folder holds is read, and what is wrong with it is named, counted and survived."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import InputRefusedError
from evaluation.sets import ImageSet, divide, lesions_in_both, read_set, refuse_shared_pictures
from photographs.labelled import LabelledImage
from photographs.pixels import read_square
from photographs.splits import split_by_lesion
from tests.support.picture_sets import spot, write_folders, write_labelled
from tests.support.watched_job import WatchedJob


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


def test_pixels_are_middle_squares_in_the_order_of_the_images(tmp_path, monkeypatch):
    found = read_set(write_folders(tmp_path / "out", {"MEL": 5, "NV": 4}))
    whole = found.pixels(24)
    for image, pixels in zip(found.images, whole, strict=True):
        assert np.array_equal(pixels.transpose(1, 2, 0), read_square(image.path, 24))
    monkeypatch.setattr("evaluation.sets.BLOCK", 4)
    assert [len(block) for block in found.blocks(24)] == [4, 4, 1]
    assert np.array_equal(found.pixels(24), whole)
    assert found.only([3, 1]).images == (found.images[3], found.images[1])
    empty = found.only([])
    assert empty.pixels(24).shape == (0, 3, 24, 24)
    assert (len(empty), empty.lesions, empty.counts) == (0, [], {})


def of_sizes(*sizes) -> ImageSet:
    return ImageSet(Path("x"), "x", (), sizes=sizes)


def test_the_side_is_the_commonest_shorter_one():
    assert of_sizes().side == 0
    assert of_sizes(((64, 48), 3), ((48, 99), 2), ((64, 64), 4)).side == 48
    assert of_sizes(((64, 48), 3), ((64, 64), 4)).side == 64


def test_three_sizes_and_three_unreadable_files_are_named(tmp_path):
    write_folders(tmp_path / "out", {"MEL": 2})
    for number, side in enumerate((50, 51, 52)):
        assert len(read_set(tmp_path / "out").notes) == (number > 0)
        Image.fromarray(spot(1, side)).save(tmp_path / "out" / "MEL" / f"{side}.png")
    (note,) = read_set(tmp_path / "out").notes
    assert note.endswith("48×48 (2), 50×50 (1), 51×51 (1), ….")
    for number in range(3):
        (tmp_path / "out" / "MEL" / f"a{number}.png").write_bytes(b"")
    assert read_set(tmp_path / "out").notes[1] == "Skipped because unreadable: 3 files (a0.png, a1.png, a2.png)."
    (tmp_path / "out" / "MEL" / "a3.png").write_bytes(b"")
    assert read_set(tmp_path / "out").notes[1] == "Skipped because unreadable: 4 files (a0.png, a1.png, a2.png, …)."


def test_reading_is_counted_and_the_name_is_that_of_the_folder(tmp_path):
    write_folders(tmp_path / "out", {"MEL": 3})
    job = WatchedJob()
    assert read_set(tmp_path / "out", context=job).name == "out"
    assert job.told == [(0, 3), (1, 3), (2, 3)]
    assert read_set(tmp_path / "out", "mine").name == "mine"


def test_what_is_unknown_is_on_no_side_of_a_division_and_reserved_images_are_held_out(tmp_path):
    whole = read_set(write_labelled(tmp_path / "data", {"MEL": 40, "NV": 40}))
    images = tuple(replace(image, code=None) if n % 10 == 0 else image for n, image in enumerate(whole.images))
    train, held = divide(replace(whole, images=images))
    assert len(train) + len(held) == 72
    splits = split_by_lesion(
        [LabelledImage(i.name, i.code, i.lesion, i.part, i.path) for i in images if i.code is not None]
    )
    assert {image.name for image in train.images} == {image.image_id for image in splits.train}
    with pytest.raises(InputRefusedError, match="too few lesions"):
        divide(whole.only([0]))


def test_a_photograph_on_both_sides_is_counted_and_named(tmp_path):
    one = read_set(write_folders(tmp_path / "one", {"MEL": 3}))
    other = read_set(write_folders(tmp_path / "other", {"NV": 4}, paint=lambda seed, side: spot(seed + 900, side)))
    refuse_shared_pictures(one, other)
    for number in range(2):
        other.images[number + 1].path.write_bytes(one.images[number].path.read_bytes())
    other = read_set(tmp_path / "other")
    with pytest.raises(InputRefusedError, match="2 of the 4 held-out") as refused:
        refuse_shared_pictures(one, other)
    assert f"such as {other.images[1].name}." in refused.value.message


def test_lesions_of_one_name_are_told_where_both_sides_name_lesions(tmp_path):
    one = read_set(write_labelled(tmp_path / "one", {"MEL": 6}))
    other = read_set(write_labelled(tmp_path / "other", {"MEL": 4}))
    names = sorted({*one.lesions} & {*other.lesions})
    assert names
    warning = lesions_in_both(one, other)
    assert warning is not None
    assert f"({len(names)}, such as {names[0]})" in warning
    assert lesions_in_both(replace(one, grouped=False), other) is None
    assert lesions_in_both(one, replace(other, grouped=False)) is None
    renamed = tuple(replace(image, lesion=f"other {image.lesion}") for image in other.images)
    assert lesions_in_both(one, replace(other, images=renamed)) is None


def test_class_folders_of_a_heap_are_known_by_their_codes_in_any_case(tmp_path):
    for name in ("deep/mel/1.jpg", "deep/nevus/2.jpg", "deep/NV/3.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(spot(1)).save(tmp_path / name)
    found = read_set(tmp_path)
    assert [(image.name, image.code, image.lesion) for image in found.images] == [
        ("deep/NV/3.jpg", "NV", "deep/NV/3.jpg"), ("deep/mel/1.jpg", "MEL", "deep/mel/1.jpg"),
        ("deep/nevus/2.jpg", None, "deep/nevus/2.jpg"),
    ]  # fmt: skip
    assert found.labels.tolist() == [1, 0, -1]
