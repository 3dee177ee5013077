"""Colour and texture statistics: by hand, and far from photographs whatever a generator gets wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from measures.kid import kid
from measures.texture import FARTHEST, GRID, statistics, texture_of
from tests.measures.photographs import photographs


def test_a_plain_colour_has_its_means_and_no_edges():
    plain = torch.tensor([0.9, 0.3, 0.6])[None, :, None, None].expand(1, 3, 32, 32)
    found = statistics(plain)[0]
    cells = found[: 3 * GRID**2].view(3, GRID, GRID)
    brightness, red_green, yellow_blue = (0.9 + 0.3 + 0.6) / 3, (0.9 - 0.3) / 2, (0.9 + 0.3) / 4 - 0.6 / 2
    for number, expected in enumerate((brightness, red_green, yellow_blue)):
        assert cells[number].flatten().tolist() == pytest.approx([expected] * 16, abs=1e-6)
    assert found[48:].tolist() == pytest.approx([np.log(1e-3)] * (len(found) - 48), abs=1e-2)
    assert len(found) == 48 + 3 * 24, "resolutions 32, 16, 8"


def test_a_ramp_has_one_slope_in_each_direction():
    ramp = torch.arange(32.0).view(1, 1, 1, 32).expand(1, 3, 32, 32) / 64
    means = statistics(ramp)[0][48:60].exp() - 1e-3
    # brightness is the ramp: inside, the difference over two pixels is 1/32, weights 1 + 2 + 1 of 8 make 1/64
    inside, border = 1 / 64, 1 / 128
    across = (30 * inside + 2 * border) / 32
    assert means[:2].tolist() == pytest.approx([across, 0.0], abs=1e-6)
    assert means[2].item() == pytest.approx(means[3].item(), rel=1e-5)
    assert means[4:8].tolist() == pytest.approx([0.0] * 4, abs=1e-6), "grey has no colour"


def test_photographs_themselves_have_mean_0_and_deviation_1():
    images = photographs(60, seed=1)
    features = texture_of(images)(images)
    assert np.abs(features.mean(axis=0)).max() < 0.1
    assert features.std(axis=0).max() < 1.1
    assert np.abs(features).max() <= FARTHEST


def _through(images, change):
    pictures = [Image.fromarray(image.transpose(1, 2, 0)) for image in images]
    return np.stack([np.asarray(change(picture)).transpose(2, 0, 1) for picture in pictures])


FAULTS = {
    "blurred": lambda p: p.filter(ImageFilter.GaussianBlur(1)),
    "noisy": lambda p: Image.fromarray(
        np.clip(np.asarray(p) + np.random.default_rng(0).normal(0, 10, (*p.size, 3)), 0, 255).astype(np.uint8)
    ),
    "reddish": lambda p: Image.fromarray(np.clip(np.asarray(p) * [1.3, 1, 0.7], 0, 255).astype(np.uint8)),
    "grey": lambda p: p.convert("L").convert("RGB"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_far_and_photographs_are_near(fault):
    reference, others = photographs(80, seed=1), photographs(80, seed=2)
    space = texture_of(reference)
    known = space(reference)
    honest, wrong = kid(space(others), known), kid(space(_through(others, FAULTS[fault])), known)
    assert wrong.low > max(honest.high, 0)


def test_one_photograph_and_small_ones_are_survived():
    images = photographs(3, seed=1)[:, :, :16, :16]
    assert np.isfinite(texture_of(images[:1])(images)).all()
