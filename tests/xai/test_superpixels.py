"""Superpixels: every pixel in one of them, never too many, the same each time, and along the lesion's edge."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.tiny_classifier import draw_lesion
from xai.superpixels import superpixels


def noise(shape):
    return np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (2, 90), (3, 3), (7, 5), (50, 50), (40, 300), (300, 700)])
@pytest.mark.parametrize("most", [2, 12, 30])
def test_every_pixel_belongs_to_one_and_there_are_never_too_many(shape, most):
    image = noise(shape)
    before = image.copy()
    found = superpixels(image, most)
    assert found.shape == shape
    assert found.dtype == np.int32
    assert sorted(set(found.ravel().tolist())) == list(range(found.max() + 1)), "numbered without gaps"
    assert found.max() + 1 <= most
    assert found.max() + 1 >= min(most // 2, shape[0] * shape[1])
    assert np.array_equal(image, before)
    assert np.array_equal(superpixels(image, most), found)


@pytest.mark.parametrize("most", [6, 9, 12, 20, 40])
@pytest.mark.parametrize("code", ["MEL", "NV", "BKL"])
def test_nearly_as_many_as_wanted_on_a_lesion(code, most):
    assert 0.75 * most <= superpixels(draw_lesion(code, 7, 128), most).max() + 1 <= most


def test_a_plain_picture_is_cut_into_a_grid():
    found = superpixels(np.full((60, 90, 3), 200, np.uint8), 12)
    sizes = np.bincount(found.ravel())
    assert 9 <= len(sizes) <= 12
    assert sizes.max() < 3 * sizes.min()


def test_superpixels_keep_to_the_edge_of_the_lesion():
    image = draw_lesion("MEL", 7, 128)
    lesion = image.sum(axis=2) < 300
    found = superpixels(image, 12)
    inside = np.bincount(found.ravel(), lesion.ravel()) / np.bincount(found.ravel())
    shares = inside[found]
    assert np.minimum(shares, 1 - shares).mean() < 0.05, "hardly any pixel lies on the wrong side"


def test_large_pictures_keep_their_shape():
    image = draw_lesion("MEL", 7, 700)[:, :500]
    found = superpixels(image, 12)
    assert found.shape == (700, 500)
    assert 9 <= found.max() + 1 <= 12
