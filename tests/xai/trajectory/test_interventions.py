"""Each intervention changes its region as it says, and nothing else."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from xai.trajectory.shift import INTERVENTIONS, blur, make_constant, shuffle_patches


@pytest.fixture
def picture():
    return np.random.default_rng(5).random((64, 64, 3))


@pytest.fixture
def region():
    y, x = np.mgrid[:64, :64]
    return np.hypot(y - 30, x - 34) < 14


@pytest.mark.parametrize("name", INTERVENTIONS)
def test_nothing_outside_the_region_changes_and_something_inside_does(name, picture, region):
    before = picture.copy()
    changed = INTERVENTIONS[name](picture, region, np.random.default_rng(0))
    np.testing.assert_array_equal(picture, before)
    np.testing.assert_array_equal(changed[~region], picture[~region])
    assert (changed[region] != picture[region]).any(axis=1).mean() > 0.9
    assert 0 <= changed.min() <= changed.max() <= 1


@pytest.mark.parametrize("name", INTERVENTIONS)
def test_the_same_seed_changes_it_in_the_same_way(name, picture, region):
    twice = [INTERVENTIONS[name](picture, region, np.random.default_rng(9)) for _ in range(2)]
    np.testing.assert_array_equal(*twice)


def test_noise_is_as_strong_as_it_says():
    grey = np.full((64, 64, 3), 0.5)
    changed = INTERVENTIONS["noise"](grey, np.ones((64, 64), bool), np.random.default_rng(0))
    expected = (0.5 + np.random.default_rng(1).normal(0, 0.25, 200_000)).clip(0, 1).std()
    assert changed.std() == pytest.approx(expected, rel=0.02)


def test_blur_is_gaussian(picture, region):
    expected = gaussian_filter(picture[..., 1], 0.05 * 64)
    np.testing.assert_allclose(blur(picture, region, None)[region][:, 1], expected[region])


def test_the_constant_is_the_regions_own_median(picture, region):
    changed = make_constant(picture, region, None)
    np.testing.assert_allclose(changed[region], np.median(picture[region], axis=0)[None].repeat(region.sum(), axis=0))


def test_a_shuffle_keeps_every_pixel_and_the_inside_of_patches(picture, region):
    changed = shuffle_patches(picture, region, np.random.default_rng(0))
    assert sorted(map(tuple, changed[region])) == sorted(map(tuple, picture[region]))
    patch = changed[30:32, 34:36]  # a whole patch of 2 x 2 pixels inside the region
    places = np.argwhere((picture == patch[0, 0]).all(axis=2))
    assert len(places) == 1
    y, x = places[0]
    np.testing.assert_array_equal(picture[y : y + 2, x : x + 2], patch)


def test_patches_are_a_thirty_second_of_the_side():
    """Each goes its own way: neighbours inside a patch stay neighbours, those across its border do not."""
    numbers = np.arange(64 * 64.0).reshape(64, 64, 1).repeat(3, axis=2)
    changed = shuffle_patches(numbers, np.ones((64, 64), bool), np.random.default_rng(0))[..., 0]
    kept = np.diff(changed, axis=1) == 1
    assert kept[:, ::2].all()
    assert kept[:, 1::2].mean() < 0.05


def test_regions_too_small_for_a_patch_are_shuffled_pixel_by_pixel(picture):
    thin = np.zeros((64, 64), bool)
    thin[7, 3:40] = True
    changed = shuffle_patches(picture, thin, np.random.default_rng(0))
    assert sorted(map(tuple, changed[thin])) == sorted(map(tuple, picture[thin]))
    assert (changed[thin] != picture[thin]).any()


def test_patches_of_small_pictures_are_single_pixels():
    numbers = np.arange(16 * 16.0).reshape(16, 16, 1).repeat(3, axis=2)
    changed = shuffle_patches(numbers, np.ones((16, 16), bool), np.random.default_rng(0))[..., 0]
    assert sorted(changed.ravel()) == list(range(256))
    assert (np.diff(changed, axis=1) == 1).mean() < 0.05


@pytest.mark.parametrize("shape", [(64, 41), (41, 64)])
def test_patches_of_a_picture_that_is_no_square_lie_within_it(shape):
    numbers = np.arange(shape[0] * shape[1]).reshape(*shape, 1).repeat(3, axis=2)
    changed = shuffle_patches(numbers, np.ones(shape, bool), np.random.default_rng(0))[..., 0]
    assert sorted(changed.ravel()) == list(range(shape[0] * shape[1]))
    kept = np.diff(changed, axis=1) == 1  # of 2 x 2 patches; the last line of an odd side is shuffled pixel by pixel
    assert kept[: shape[0] // 2 * 2, : shape[1] // 2 * 2 : 2].all()
    assert (changed[::2, -1] != numbers[::2, -1, 0]).mean() > 0.9
