"""Filling in what was taken out."""

from __future__ import annotations

import numpy as np
import pytest

from xai.faithfulness import impute


def solved_slowly(image: np.ndarray, removed: np.ndarray) -> np.ndarray:
    """Each removed pixel is the weighted mean of its neighbours, written as a dense system, one pixel at a time."""
    height, width = removed.shape
    places = [(y, x) for y in range(height) for x in range(width)]
    matrix, right = np.eye(len(places)), image.reshape(len(places), -1).copy()
    for row, (y, x) in enumerate(places):
        if not removed[y, x]:
            continue
        near = [
            (j, 1 / 6 if abs(a - y) + abs(b - x) == 1 else 1 / 12)
            for j, (a, b) in enumerate(places)
            if max(abs(a - y), abs(b - x)) == 1
        ]
        total = sum(weight for _, weight in near)
        right[row] = 0
        for j, weight in near:
            matrix[row, j] = -weight / total
    return np.linalg.solve(matrix, right).reshape(image.shape)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_it_solves_the_system_it_promises(share: float) -> None:
    rng = np.random.default_rng(3)
    image = rng.random((7, 9, 3))
    removed = rng.random((7, 9)) < share
    before = image.copy()
    filled = impute(image, removed, rng, noise=0)
    np.testing.assert_allclose(filled, solved_slowly(image, removed), atol=1e-9)
    np.testing.assert_array_equal(image, before)


def test_a_slope_is_filled_in_without_a_trace() -> None:
    y, x = np.mgrid[0:20, 0:30]
    image = np.repeat((0.01 * y + 0.02 * x)[..., None], 3, axis=2)
    removed = np.zeros((20, 30), bool)
    removed[5:12, 8:21] = True
    np.testing.assert_allclose(impute(image, removed, np.random.default_rng(0), noise=0), image, atol=1e-9)


def test_what_is_left_stays_and_what_is_filled_carries_the_noise() -> None:
    image = np.full((40, 40, 3), 0.5)
    removed = np.zeros((40, 40), bool)
    removed[10:30] = True
    filled = impute(image, removed, np.random.default_rng(0), noise=0.01)
    np.testing.assert_array_equal(filled[~removed], image[~removed])
    assert filled[removed].std() == pytest.approx(0.01, rel=0.1)


def test_nothing_and_everything_taken_out() -> None:
    rng = np.random.default_rng(0)
    image = rng.random((6, 6, 3))
    np.testing.assert_array_equal(impute(image, np.zeros((6, 6), bool), rng), image)
    gone = impute(image, np.ones((6, 6), bool), rng, noise=0)
    np.testing.assert_allclose(gone, np.broadcast_to(image.mean((0, 1)), image.shape))
