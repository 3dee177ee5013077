"""Do images follow their masks? Those that do, those that do not, and those that have none."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.errors import InputRefusedError
from evaluation.masks.heuristics import brightness
from evaluation.masks.section import follow_masks
from evaluation.masks.segmenter import Segmenter
from evaluation.sets import read_set
from tests.evaluation.masks.lesions import lesions


class Darkness(Segmenter):
    """Finds dark pixels, which is what the drawn lesions are."""

    def __init__(self):
        super().__init__(None, 0.95, {})

    def __call__(self, images):
        return brightness(np.asarray(images))


def write(folder, pictures, suffix=".png"):
    for name, picture in pictures.items():
        path = folder / f"{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    return folder


@pytest.fixture
def made(tmp_path):
    pixels, masks = lesions(12, 64, seed=4)
    write(tmp_path / "images", {f"MEL/{i}": p.transpose(1, 2, 0) for i, p in enumerate(pixels)})
    return tmp_path, masks


def masks_of(masks, inside=255):
    return {f"MEL/{i}": mask.astype(np.uint8) * inside for i, mask in enumerate(masks)}


@pytest.mark.parametrize("inside", [1, 2, 255])
def test_images_that_follow_their_masks(made, inside):
    root, masks = made
    found = follow_masks(read_set(root / "images"), write(root / "masks", masks_of(masks, inside)), Darkness())
    assert found.level == "good"
    assert found.data["n"] == 12
    assert found.data["segmenter"]["dice"]["mean"] > 0.95
    assert found.data["segmenter"]["iou"]["band"] == "excellent"
    assert found.data["red_channel"]["dice"]["mean"] < 0.6, "the red channel finds the skin"
    assert found.data["segmenter"]["dice_of_wrong_masks"] < 0.8
    assert found.data["ceiling"] == 0.95


def test_images_that_do_not(made):
    root, masks = made
    shuffled = masks[np.roll(np.arange(12), 3)]
    found = follow_masks(read_set(root / "images"), write(root / "masks", masks_of(shuffled)), Darkness())
    assert found.level == "bad"
    assert "do not follow" in found.verdict


def test_masks_are_found_by_path_else_by_name(made):
    root, masks = made
    named = {f"other/{i}_segmentation": mask.astype(np.uint8) * 255 for i, mask in enumerate(masks[:5])}
    found = follow_masks(read_set(root / "images"), write(root / "masks", named), Darkness())
    assert (found.data["n"], found.data["without_mask"]) == (5, 7)
    assert found.data["segmenter"]["dice"]["mean"] > 0.95


def test_empty_masks_are_counted(made):
    root, masks = made
    masks[:3] = False
    found = follow_masks(read_set(root / "images"), write(root / "masks", masks_of(masks)), Darkness())
    assert found.data["empty_masks"] == 3
    assert found.data["segmenter"]["dice"]["mean"] == pytest.approx(0.75, abs=0.03), "3 of 12 count as 0"


def test_no_mask_at_all(made):
    root, _ = made
    (root / "masks").mkdir()
    found = follow_masks(read_set(root / "images"), root / "masks", Darkness())
    assert found.level == "unknown"
    with pytest.raises(InputRefusedError):
        follow_masks(read_set(root / "images"), root / "gone", Darkness())


def test_a_single_image_has_no_control(made):
    root, masks = made
    one = read_set(root / "images").only([0])
    found = follow_masks(one, write(root / "masks", masks_of(masks)), Darkness())
    assert found.level == "unknown"
    assert found.data["segmenter"]["dice_of_wrong_masks"] is None


def test_the_control_gives_each_image_the_mask_of_the_one_before_it(made):
    root, masks = made
    folder = write(root / "masks", masks_of(masks))
    images = read_set(root / "images")
    found = follow_masks(images, folder, Darkness())
    seen = Darkness()(images.pixels(128))
    order = [int(image.name.rsplit("/")[-1].split(".")[0]) for image in images.images]
    asked = np.kron(masks[order], np.ones((2, 2), bool))  # from 64 to 128 pixels
    overlaps = [2 * (a & b).sum() / (a.sum() + b.sum()) for a, b in zip(seen, np.roll(asked, 1, axis=0), strict=True)]
    assert found.data["segmenter"]["dice_of_wrong_masks"] == pytest.approx(np.mean(overlaps))
    right = [2 * (a & b).sum() / (a.sum() + b.sum()) for a, b in zip(seen, asked, strict=True)]
    assert found.data["segmenter"]["dice"]["mean"] == pytest.approx(np.mean(right))
    assert found.data["segmenter"]["iou"]["mean"] == pytest.approx(np.mean([x / (2 - x) for x in right]))
    assert (found.data["ambiguous"], found.data["without_mask"], found.data["empty_masks"]) == (0, 0, 0)
    assert f"Mean Dice {np.mean(right):.2f}" in found.verdict
    assert "n = 12) between mask and segmented lesion; the segmenter itself reaches 0.95" in found.verdict


def test_what_cannot_be_told_apart_is_counted(made):
    root, masks = made
    names = {f"{folder}/{i}": mask.astype(np.uint8) for folder in "ab" for i, mask in enumerate(masks[:3])}
    found = follow_masks(read_set(root / "images"), write(root / "masks", names), Darkness())
    assert (found.level, found.data) == ("unknown", {"n": 0, "ambiguous": 3})
    assert "3 have ambiguous names" in found.verdict
