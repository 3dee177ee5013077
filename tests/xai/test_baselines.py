"""Baselines: what each of them is, and why the default is not black."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.classification.preprocessing import to_tensor
from xai.attribution import integrated_gradients
from xai.baselines import DATASET_MEAN, make_baselines, skin_tone
from xai.explanation import BASELINES


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
