"""Superpixels: every pixel in one of them, never too many, the same each time, and along the lesion's edge."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from skimage.segmentation import slic

from tests.support.tiny_classifier import draw_lesion
from xai.shapley import _reduced, superpixels


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


@pytest.mark.parametrize(("code", "most"), [("MEL", 20), ("NV", 12), ("BKL", 40)])
def test_they_are_the_finest_that_slic_gives_without_too_many(code, most):
    image = draw_lesion(code, 7, 128)
    for compactness in (10, 30, 100):
        tries = [
            np.unique(slic(image, n_segments=n, compactness=compactness, sigma=1, start_label=0), return_inverse=True)[
                1
            ]
            for n in (round(factor * most) for factor in (1.0, 1.2, 1.4, 1.6, 1.8, 2.0))
        ]
        expected = max((found for found in tries if found.max() < most), key=lambda found: found.max())
        if expected.max() + 1 >= 0.75 * most:
            break
    np.testing.assert_array_equal(superpixels(image, most), expected.reshape(128, 128))


def test_they_are_found_in_a_copy_of_at_most_256_pixels():
    image = np.asarray(Image.fromarray(draw_lesion("MEL", 7, 256)).resize((512, 512), Image.Resampling.NEAREST))
    found = superpixels(image, 12)
    np.testing.assert_array_equal(found, superpixels(draw_lesion("MEL", 7, 256), 12).repeat(2, 0).repeat(2, 1))
    exact = superpixels(draw_lesion("MEL", 7, 250), 12)
    small = superpixels(np.asarray(Image.fromarray(draw_lesion("MEL", 7, 250)).resize((128, 128))), 12)
    assert not np.array_equal(exact[np.arange(128) * 250 // 128][:, np.arange(128) * 250 // 128], small)


def test_the_grid_has_cells_of_nearly_one_shape():
    found = superpixels(np.full((60, 90, 3), 200, np.uint8), 12)
    rows, columns = (len(set(map(tuple, lines))) for lines in (found, found.T))
    assert (rows, columns) == (3, 4)
    tall = superpixels(np.full((80, 20, 3), 200, np.uint8), 4)
    assert [len(set(map(tuple, lines))) for lines in (tall, tall.T)] == [4, 1]


@pytest.mark.parametrize(("side", "reduced"), [(200, 200), (256, 256), (257, 256), (1000, 256)])
def test_only_pictures_of_more_than_256_pixels_are_reduced(side, reduced):
    assert _reduced(np.zeros((side, 10, 3), np.uint8)).shape[0] == reduced
    assert _reduced(np.zeros((3, side, 3), np.uint8)).shape[1] == reduced
