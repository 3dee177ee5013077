"""Lesion masks: found by the image's name, read as what is white, refused if they are another picture's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import InputRefusedError
from xai.subject import find_mask, read_mask


def save(path, pixels):
    Image.fromarray(pixels).save(path)
    return path


def test_a_file_is_the_mask_whatever_its_name(tmp_path):
    path = save(tmp_path / "any.png", np.zeros((2, 2), np.uint8))
    assert find_mask(path, Path("image.jpg")) == path
    assert find_mask(path, None) == path


@pytest.mark.parametrize("name", ["ISIC_1.png", "ISIC_1_segmentation.png", "ISIC_1.bmp"])
def test_in_a_folder_it_is_named_like_the_image(tmp_path, name):
    save(tmp_path / "ISIC_2.png", np.zeros((2, 2), np.uint8))
    path = save(tmp_path / name, np.zeros((2, 2), np.uint8))
    assert find_mask(tmp_path, Path("elsewhere/ISIC_1.jpg")) == path
    assert find_mask(tmp_path, Path("elsewhere/ISIC_3.jpg")) is None
    assert find_mask(tmp_path, None) is None


def test_a_place_where_nothing_is(tmp_path):
    with pytest.raises(InputRefusedError, match="There is no mask at"):
        find_mask(tmp_path / "gone.png", None)


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA"])
def test_white_is_inside(tmp_path, mode):
    inside = np.zeros((6, 4), bool)
    inside[1:3, 1:4] = True
    path = tmp_path / "m.png"
    Image.fromarray((inside * 255).astype(np.uint8)).convert(mode).save(path)
    found = read_mask(path, (6, 4), (6, 4))
    assert found.dtype == bool
    assert np.array_equal(found, inside)


@pytest.mark.parametrize("label", [1, 3])
def test_labels_are_inside_too(tmp_path, label):
    labels = np.array([[0, label], [label, 0]], np.uint8)
    assert np.array_equal(read_mask(save(tmp_path / "m.png", labels), (2, 2), (2, 2)), labels > 0)


def test_a_large_mask_shrinks_with_its_picture(tmp_path):
    inside = np.zeros((40, 20), np.uint8)
    inside[:20] = 255
    found = read_mask(save(tmp_path / "m.png", inside), (40, 20), (10, 5))
    assert found.shape == (10, 5)
    assert found[:5].all()
    assert not found[5:].any()


def test_the_mask_of_another_picture(tmp_path):
    path = save(tmp_path / "m.png", np.zeros((6, 4), np.uint8))
    with pytest.raises(InputRefusedError) as caught:
        read_mask(path, (4, 6), (4, 6))
    assert "has 4 x 6 pixels, but the image has 6 x 4" in caught.value.message
    assert caught.value.remedy == "Give the mask in the size of the image."


def test_a_mask_that_is_no_picture(tmp_path):
    path = tmp_path / "m.png"
    path.write_text("not a mask")
    with pytest.raises(InputRefusedError):
        read_mask(path, (4, 6), (4, 6))
