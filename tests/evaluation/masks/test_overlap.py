"""Dice, IoU and what counts as inside: by hand, at the empty ends, and for masks of any label values."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.masks.heuristics import HEURISTICS, brightness, red_channel, saturation
from evaluation.masks.overlap import dice, iou
from photographs.masks import inside


def masks(*rows):
    return np.array(rows, bool)[:, None, :]


def test_by_hand():
    first, second = masks([1, 1, 1, 0, 0, 0]), masks([0, 1, 1, 1, 1, 0])
    assert dice(first, second) == pytest.approx([2 * 2 / (3 + 4)])
    assert iou(first, second) == pytest.approx([2 / 5])


def test_the_ends():
    full, empty, half = [1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 0, 0]
    first, second = masks(full, empty, empty, half, half), masks(full, empty, full, empty, [0, 0, 1, 1])
    assert dice(first, second).tolist() == [1, 1, 0, 0, 0]
    assert iou(first, second).tolist() == [1, 1, 0, 0, 0]


def test_dice_follows_from_iou():
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 50, 8, 8)) < 0.4
    overlap = iou(first, second)
    assert dice(first, second) == pytest.approx(2 * overlap / (1 + overlap))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1], [0, 1]),
        ([0, 2], [0, 1]),
        ([0, 1, 2, 3], [0, 1, 1, 1]),
        ([0, 255], [0, 1]),
        ([0, 100, 127, 128, 255], [0, 0, 0, 1, 1]),
        ([0, 0], [0, 0]),
        ([127, 0], [1, 0]),
    ],
)
def test_masks_of_any_label_values(values, expected):
    assert inside(np.array(values, np.uint8)).tolist() == [bool(v) for v in expected]
    assert inside(np.zeros((0, 3), np.uint8)).shape == (0, 3)


def lesion():
    """A dark brown square on pink skin, and where it is."""
    image = np.empty((1, 3, 12, 12), np.uint8)
    image[0] = np.array([230, 170, 160])[:, None, None]
    image[0, :, 4:8, 4:8] = np.array([60, 25, 20])[:, None, None]
    where = np.zeros((1, 12, 12), bool)
    where[0, 4:8, 4:8] = True
    return image, where


def test_the_old_heuristics_on_a_perfect_dark_lesion():
    # What was measured of the earlier program: Dice 0 by the red channel, 1 by the other two.
    image, where = lesion()
    assert dice(red_channel(image), where).tolist() == [0]
    assert dice(saturation(image), where).tolist() == [1]
    assert dice(brightness(image), where).tolist() == [1]


def pixels(*colours: tuple[int, int, int]) -> np.ndarray:
    return np.array(colours, np.uint8).T[None, :, None, :]


def test_where_the_old_heuristics_turn():
    assert red_channel(pixels((127, 255, 255), (128, 0, 0))).tolist() == [[[False, True]]]
    assert saturation(pixels((200, 100, 150), (200, 99, 150), (0, 0, 0), (0, 0, 1))).tolist() == [
        [[False, True, False, True]]
    ]
    assert brightness(pixels((127, 127, 128), (128, 127, 128), (255, 0, 127), (0, 0, 255))).tolist() == [
        [[True, False, True, True]]
    ]
    assert {name: rule.__name__ for name, rule in HEURISTICS.items()} == {
        name: name for name in ("red_channel", "saturation", "brightness")
    }
