"""Masks: one rule for which file belongs to which photograph, and for what is inside, whatever the values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from core.errors import InputRefusedError
from photographs.masks import Masked, find_mask, find_masks, inside, read_mask

INSIDE = np.zeros((12, 16), bool)
INSIDE[3:9, 4:13] = True


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def images(*names: str) -> list[Masked]:
    codes = {"MEL", "NV", "BCC"}
    found = []
    for name in names:
        folder = name.rpartition("/")[0].rpartition("/")[2]
        found.append(Masked(name, folder if folder in codes else None, Path("photographs", name)))
    return found


def matched(folder: Path, *names: str) -> dict[str, str]:
    found = find_masks(images(*names), folder)
    return {name: path.relative_to(folder).as_posix() for name, path in found.of.items()}


@pytest.mark.parametrize(
    "mask",
    ["X.png", "x.PNG", "X_segmentation.png", "X_Segmentation.PNG", "X_mask.bmp", "X_lesion.tif", "X_expert.jpg",
     "X_expert_mask.png", "X-mask.png", "any/X_segmentation.png", "masks/deep/X.png"],
)  # fmt: skip
def test_every_usual_name_is_found(tmp_path, mask):
    touch(tmp_path, mask, "Y.png")
    assert matched(tmp_path, "X.jpg") == {"X.jpg": mask}


def test_mixed_names_in_one_folder_and_what_is_told(tmp_path):
    touch(tmp_path, "A.png", "B_segmentation.png", "C_Segmentation.PNG", "E.png")
    found = find_masks(images("A.jpg", "B.jpg", "C.jpg", "D.jpg"), tmp_path)
    assert {name: path.name for name, path in found.of.items()} == {
        "A.jpg": "A.png", "B.jpg": "B_segmentation.png", "C.jpg": "C_Segmentation.PNG",
    }  # fmt: skip
    assert found.sentence(2) == "Masks: 3 of 4 images have one; 2 are empty; 1 belong to none of the images."


def test_masks_of_one_class_are_not_those_of_another(tmp_path):
    touch(tmp_path, "MEL/1.png", "MEL/2.png")
    assert matched(tmp_path, "MEL/1.jpg", "MEL/2.jpg", "NV/1.jpg", "NV/2.jpg") == {
        "MEL/1.jpg": "MEL/1.png", "MEL/2.jpg": "MEL/2.png",
    }  # fmt: skip
    assert matched(tmp_path, "NV/1.jpg") == {}, "not even where no other image has the name"


def test_class_folders_may_be_named_otherwise(tmp_path):
    touch(tmp_path, "melanoma/1.png", "nevus/1.png")
    assert matched(tmp_path, "train/MEL/1.jpg", "train/NV/1.jpg") == {
        "train/MEL/1.jpg": "melanoma/1.png", "train/NV/1.jpg": "nevus/1.png",
    }  # fmt: skip


def test_a_bare_name_only_where_it_is_unique_on_both_sides(tmp_path):
    touch(tmp_path, "1.png", "2.png", "a/3.png", "b/3.png")
    found = find_masks(images("MEL/1.jpg", "NV/1.jpg", "MEL/2.jpg", "MEL/3.jpg"), tmp_path)
    assert {name: path.name for name, path in found.of.items()} == {"MEL/2.jpg": "2.png"}
    assert set(found.ambiguous) == {"MEL/1.jpg", "NV/1.jpg", "MEL/3.jpg"}
    assert "3 have ambiguous names" in found.sentence()


def test_two_masks_of_one_image_or_two_images_of_one_mask_are_ambiguous(tmp_path):
    touch(tmp_path, "MEL/1.png", "MEL/1_segmentation.png", "MEL/2.png")
    found = find_masks(images("MEL/1.jpg", "a/MEL/2.jpg", "b/MEL/2.jpg"), tmp_path)
    assert not found.of
    assert len(found.ambiguous) == 3


def test_the_longer_shared_path_decides(tmp_path):
    touch(tmp_path, "a/MEL/1.png", "b/MEL/1.png")
    assert matched(tmp_path, "a/MEL/1.jpg", "b/MEL/1.jpg") == {
        "a/MEL/1.jpg": "a/MEL/1.png", "b/MEL/1.jpg": "b/MEL/1.png",
    }  # fmt: skip


def test_masks_beside_their_photographs_and_no_photograph_as_mask(tmp_path):
    touch(tmp_path, "1.png", "1_segmentation.png", "2.png")
    wanted = [Masked(f"{n}.png", None, tmp_path / f"{n}.png") for n in (1, 2)]
    found = find_masks(wanted, tmp_path)
    assert {name: path.name for name, path in found.of.items()} == {"1.png": "1_segmentation.png"}


def test_one_image_of_an_unknown_set(tmp_path):
    touch(tmp_path, "MEL/1.png", "2_segmentation.png", "NV/3.png")
    assert find_mask(Path("x/MEL/1.jpg"), tmp_path) == tmp_path / "MEL/1.png"
    assert find_mask(Path("x/NV/1.jpg"), tmp_path) is None
    assert find_mask(Path("x/NV/2.jpg"), tmp_path) == tmp_path / "2_segmentation.png"
    assert find_mask(Path("elsewhere/3.jpg"), tmp_path) == tmp_path / "NV/3.png"


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(InputRefusedError, match="There is no folder"):
        find_masks([], tmp_path / "gone")


def labels(*values: int) -> np.ndarray:
    found = INSIDE.astype(np.uint8) * values[0]
    for row, value in enumerate(values):
        found[3 + row, 4:13] = value
    return found


def palette(colours: list[tuple[int, int, int]]) -> Image.Image:
    image = Image.fromarray(labels(*range(1, len(colours)))).convert("P")
    image = Image.fromarray(labels(*range(1, len(colours))), mode="P")
    image.putpalette([channel for colour in colours for channel in colour])
    return image


WRITTEN = {
    "0 and 1": labels(1), "0 and 255": labels(255), "0 and 128": labels(128), "three labels": labels(1, 2, 3),
    "labels far apart": labels(85, 170, 255), "0 and 65535": labels(1).astype(np.uint16) * 65535,
    "0 and 1 in 16 bits": labels(1).astype(np.uint16), "rgb": np.repeat(labels(255)[..., None], 3, 2),
    "red": np.dstack([labels(200), labels(255) * 0, labels(255) * 0]), "truths": INSIDE,
    "yellow and blue": np.dstack([labels(0, *[250] * 5), labels(0, *[250] * 5), labels(200, *[0] * 5)]),
    "alpha alone": np.dstack([labels(0)] * 3 + [labels(255)]),
    "white where it is opaque": np.dstack([labels(255)] * 3 + [labels(255)]),
    "white on black, all opaque": np.dstack([labels(255)] * 3 + [np.full_like(labels(1), 255)]),
    "white everywhere, clear outside": np.dstack([np.full_like(labels(1), 255)] * 3 + [labels(255)]),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRITTEN)
def test_every_kind_of_values_in_a_png(tmp_path, kind):
    Image.fromarray(WRITTEN[kind]).save(tmp_path / "m.png")
    assert np.array_equal(read_mask(tmp_path / "m.png"), INSIDE)


@pytest.mark.parametrize(
    "colours",
    [
        [(0, 0, 0), (255, 255, 255)],
        [(0, 0, 0), (128, 0, 0), (0, 128, 0), (64, 0, 0)],
        [(0, 0, 0), (1, 1, 1), (2, 2, 2)],
    ],
)
def test_palettes(tmp_path, colours):
    palette(colours).save(tmp_path / "m.png")
    assert np.array_equal(read_mask(tmp_path / "m.png"), INSIDE)


@pytest.mark.parametrize("kind", [np.float32, np.int32, np.uint8, np.uint16, np.bool_])
@pytest.mark.parametrize("value", [1, 255])
def test_every_kind_of_values_in_a_tiff(tmp_path, kind, value):
    if kind is np.bool_ and value > 1:
        pytest.skip("a truth is 0 or 1")
    tifffile.imwrite(tmp_path / "m.tif", (INSIDE * value).astype(kind), photometric="minisblack")
    assert np.array_equal(read_mask(tmp_path / "m.tif"), INSIDE)


def test_a_compressed_mask_keeps_its_edge(tmp_path):
    large = np.kron(INSIDE, np.ones((8, 8), bool))
    Image.fromarray((large * 255).astype(np.uint8)).save(tmp_path / "m.jpg", quality=85)
    assert (read_mask(tmp_path / "m.jpg") != large).mean() < 0.01


def test_a_soft_edge_is_inside_from_half_on():
    ramp = np.linspace(0, 255, 256).astype(np.uint8)[None]
    assert inside(ramp).sum() == 128
    assert inside(ramp.astype(np.float32) / 255).sum() == 128
    assert inside(ramp.astype(np.uint16) * 257).sum() == 128
    assert inside(np.array([[0, 1, 2, 254, 255]])).tolist() == [[False, False, False, True, True]]


def test_nothing_inside_and_nothing_known():
    assert not inside(np.zeros((2, 2), np.uint8)).any()
    assert inside(np.array([[np.nan, -1.0, 1.0]])).tolist() == [[False, False, True]]


def test_colours_without_black_are_refused(tmp_path):
    image = palette([(68, 1, 84), (253, 231, 36)])
    image.save(tmp_path / "m.png")
    with pytest.raises(InputRefusedError, match="no black"):
        read_mask(tmp_path / "m.png")


def test_up_to_seven_values_are_labels_and_more_are_shades():
    assert inside(np.arange(8)[None]).sum() == 7, "1 to 7 are labels"
    assert inside(np.arange(9)[None]).tolist() == [[value >= 4 for value in range(9)]], "1 to 8 reach half at 4"
    assert inside(np.array([[0, 3, 127]])).tolist() == [[False, True, True]], "all below 128"
    assert inside(np.array([[0, 3, 128]])).tolist() == [[False, False, True]], "no equal steps"
    assert inside(np.array([[0, 5]])).tolist() == [[False, True]], "one value, however dark"


@pytest.mark.parametrize(
    ("values", "are_labels"),
    [((16, 128), True), ((15, 135), False), ((50, 100, 150), True), ((50, 101, 150), True), ((50, 103, 150), False),
     ((50, 98, 150), False), ((100, 250), False), ((64, 129, 192), True)],
)  # fmt: skip
def test_labels_in_equal_steps_begin_at_16_and_may_be_off_by_half_of_1_for_each_step(values, are_labels):
    assert inside(np.array([[0, *values]])).tolist() == [
        [False, *(True if are_labels else value >= 128 for value in values)]
    ]


@pytest.mark.parametrize(
    ("high", "half"), [(100, 50), (127, 63.5), (128, 128), (255, 128), (256, 256), (511, 256), (1000, 512)]
)
def test_half_of_shades_is_half_of_the_range_that_holds_them(high, half):
    shades = np.linspace(high / 10, high, 10)[None]
    assert inside(shades).tolist() == (shades >= half).tolist()


def test_a_tiff_whose_zeros_are_white(tmp_path):
    for kind, white in ((np.uint16, 65535), (np.float32, 1)):
        tifffile.imwrite(tmp_path / "m.tif", (~INSIDE * white).astype(kind), photometric="miniswhite")
        assert np.array_equal(read_mask(tmp_path / "m.tif"), INSIDE)


@pytest.mark.parametrize(("dark", "alpha"), [(15, 127), (16, 127), (15, 128)])
def test_where_black_and_opacity_end(tmp_path, dark, alpha):
    colours = np.dstack([labels(200), np.full(INSIDE.shape, dark, np.uint8), np.zeros(INSIDE.shape, np.uint8)])
    Image.fromarray(colours).save(tmp_path / "m.png")
    if dark < 16:
        assert np.array_equal(read_mask(tmp_path / "m.png"), INSIDE)
    else:
        with pytest.raises(InputRefusedError, match="no black"):
            read_mask(tmp_path / "m.png")
    clear = np.where(INSIDE, alpha, 0).astype(np.uint8)
    Image.fromarray(np.dstack([np.full_like(colours, 255), clear])).save(tmp_path / "a.png")
    assert np.array_equal(read_mask(tmp_path / "a.png"), INSIDE if alpha >= 128 else np.zeros_like(INSIDE))


def test_what_is_clear_is_outside_whatever_it_shows(tmp_path):
    """Two colours where it is opaque, so that they tell the lesion; the same bright one where it is clear."""
    grey, opaque = labels(255), np.full(INSIDE.shape, 255, np.uint8)
    opaque[INSIDE] = 255
    grey[0], opaque[0] = 255, 0
    Image.fromarray(np.dstack([grey] * 3 + [opaque])).save(tmp_path / "rgb.png")
    Image.fromarray(np.dstack([grey, opaque])).save(tmp_path / "grey.png")
    for name in ("rgb.png", "grey.png"):
        assert np.array_equal(read_mask(tmp_path / name), INSIDE)


def test_only_the_first_three_of_those_that_cannot_be_told_apart_are_named(tmp_path):
    for count, end in ((3, "(1.jpg, 2.jpg, 3.jpg)"), (4, "(1.jpg, 2.jpg, 3.jpg, …)")):
        touch(tmp_path, *(f"{folder}/{number}.png" for folder in "ab" for number in range(1, count + 1)))
        found = find_masks(images(*(f"{number}.jpg" for number in range(1, count + 1))), tmp_path)
        assert len(found.ambiguous) == count
        assert f"{count} have ambiguous names and are left out {end}" in found.sentence()
        assert f"Masks: 0 of {count} images have one; " in found.sentence()
        assert len(found.unused) == 2 * count


def test_folders_count_from_the_innermost(tmp_path):
    touch(tmp_path, "x/b/1.png", "a/c/1.png", "2.png", "b/3.png")
    assert matched(tmp_path, "a/b/1.jpg", "a/b/2.jpg", "c/3.jpg") == {
        "a/b/1.jpg": "x/b/1.png", "a/b/2.jpg": "2.png", "c/3.jpg": "b/3.png",
    }  # fmt: skip


def test_the_folder_of_one_image_counts_where_it_is_a_class(tmp_path):
    touch(tmp_path, "MEL/1.png", "any/1.png", "elsewhere/2.png", "other/2.png")
    assert find_mask(Path("x/MEL/1.jpg"), tmp_path) == tmp_path / "MEL/1.png"
    assert find_mask(Path("x/elsewhere/2.jpg"), tmp_path) is None, "a folder of any name says nothing of the set"
