"""Baselines: what each of them is, and why the default is not black."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from core.models.classification.loading import to_tensor
from xai.attribution import integrated_gradients
from xai.baselines import BASELINES, DATASET_MEAN, make_baselines, skin_tone


def lesion(side=40, skin=(220, 180, 160), colour=(0, 0, 0)):
    image = np.empty((side, side, 3), np.uint8)
    image[:] = skin
    image[12:28, 12:28] = colour
    return image


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9, 3), (60, 45, 3)])
def test_shape_range_and_untouched_input(name, shape):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    before = image.copy()
    baselines = make_baselines(name, image)
    assert len(baselines) == (4 if name == "multi" else 1)
    for baseline in baselines:
        assert baseline.shape == shape
        assert baseline.dtype == np.float32
        assert baseline.min() >= 0
        assert baseline.max() <= 1
    assert np.array_equal(image, before)


def test_skin_is_the_median_of_the_border_for_each_channel():
    image = lesion()
    image[0, :5] = 255  # a ruler
    assert skin_tone(image) == pytest.approx((220 / 255, 180 / 255, 160 / 255))


def test_dark_corners_are_no_skin():
    image = lesion(80)
    y, x = np.mgrid[:80, :80]
    image[np.hypot(x - 40, y - 40) > 43] = (8, 5, 6)
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert np.median(border) < 40, "the plain median would be black"
    assert skin_tone(image) == pytest.approx((220 / 255, 180 / 255, 160 / 255))


def test_a_black_border_all_around_stays_black():
    image = np.zeros((20, 20, 3), np.uint8)
    image[8:12, 8:12] = 200
    assert skin_tone(image) == (0, 0, 0)


def test_constant_baselines():
    (mean,), (black,) = make_baselines("mean", lesion()), make_baselines("black", lesion())
    assert np.allclose(mean, DATASET_MEAN)
    assert not black.any()


def test_noise_is_the_same_each_time():
    first, second = (make_baselines("noise", lesion())[0] for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, make_baselines("noise", lesion(), seed=1)[0])
    assert first.std() == pytest.approx(12**-0.5, abs=0.02)


def test_blur_removes_detail_and_keeps_the_mean():
    image = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    (blurred,) = make_baselines("blur", image)
    assert blurred.std() < 0.1 * (image / 255).std()
    assert blurred.mean() == pytest.approx((image / 255).mean(), abs=0.02)


def test_a_black_lesion_gets_nothing_from_a_black_baseline_and_most_from_skin():
    image = lesion()

    def darkness(pixels):
        return 20 * (1 - pixels).pow(2).mean((1, 2, 3))

    def mass_on_lesion(name):
        baselines = [to_tensor(b) for b in make_baselines(name, image)]
        values = np.abs(integrated_gradients(darkness, to_tensor(image), baselines).values)
        return values[12:28, 12:28].sum(), values.sum()

    inside, total = mass_on_lesion("black")
    assert inside == 0
    assert total > 0
    inside, total = mass_on_lesion("skin")
    assert inside > 0.99 * total > 0


def test_tensors_of_baselines_are_in_pixel_space():
    assert torch.equal(to_tensor(np.full((2, 2, 3), 255, np.uint8)), torch.ones(1, 3, 2, 2))
    assert torch.equal(to_tensor(np.full((2, 2, 3), 0.25, np.float32)), torch.full((1, 3, 2, 2), 0.25))


def slow_skin_tone(image):
    """Collect the pixels that are nearer to the edge than a twentieth of the shorter side, one after the other."""
    height, width = image.shape[:2]
    ring = max(1, round(min(height, width) / 20))
    near = [image[y, x] for y in range(height) for x in range(width) if min(y, x, height - 1 - y, width - 1 - x) < ring]
    bright = [pixel for pixel in near if max(pixel) >= 40]
    return np.median(bright if len(bright) >= len(near) / 10 else near, axis=0) / 255


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (40, 40), (60, 100), (90, 31), (10, 70)])
@pytest.mark.parametrize("brightest", [256, 60])
def test_skin_agrees_with_a_slow_one(shape, brightest):
    image = np.random.default_rng(3).integers(0, brightest, (*shape, 3)).astype(np.uint8)
    assert skin_tone(image) == pytest.approx(slow_skin_tone(image).tolist())


def ring_of(bright, dark, share):
    """Return a picture whose border is bright in a share of its pixels and dark in the others."""
    image = np.zeros((40, 40, 3), np.uint8)
    y, x = np.mgrid[:40, :40]
    border = np.argwhere(np.minimum(np.minimum(y, x), np.minimum(39 - y, 39 - x)) < 2)
    for number, (row, column) in enumerate(border):
        image[row, column] = bright if number < share * len(border) else dark
    return image


def test_what_counts_as_the_dark_corner():
    assert skin_tone(ring_of(40, 39, 0.3)) == pytest.approx((40 / 255,) * 3), "39 is dark, 40 is skin"
    assert skin_tone(ring_of(200, 10, 0.104)) == pytest.approx((200 / 255,) * 3), "a tenth of skin will do"
    assert skin_tone(ring_of(200, 10, 0.095)) == pytest.approx((10 / 255,) * 3), "less is chance"


@pytest.mark.parametrize("shape", [(30, 50), (64, 20)])
def test_blur_is_a_gaussian_of_a_tenth_of_the_longer_side(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    expected = Image.fromarray(image).filter(ImageFilter.GaussianBlur(max(shape) / 10))
    assert np.array_equal(make_baselines("blur", image)[0], np.asarray(expected, np.float32) / 255)
