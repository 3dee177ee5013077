"""Transforms of latent images and pictures: exact where they should be, and drawn as they are said to be."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate

from diffusion.autoencoder.equivariance import IDENTITY, Transform, draw_transform


def pictures(side: int = 16) -> torch.Tensor:
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_an_equivariant_map_commutes_with_the_symmetries_of_the_square_exactly(turns: int, mirrored: bool):
    """Averages of 4 x 4 pixels and their repetition are equivariant: such an autoencoder pays for no transform."""
    transform, shown = Transform((1, 1), turns, mirrored), pictures()
    latents = avg_pool2d(shown, 4)
    assert torch.equal(
        interpolate(transform(latents), scale_factor=4.0), transform(interpolate(latents, scale_factor=4.0))
    )
    assert torch.allclose(avg_pool2d(transform(shown), 4), transform(latents), atol=1e-6)


def test_scaling_a_slope_gives_the_slope_of_the_scaled_picture():
    """A linear ramp, resampled with antialiasing, is the ramp of fewer pixels, away from the border."""
    ramp = torch.arange(32.0).expand(1, 1, 32, 32)
    scaled = Transform((16, 32))(ramp)
    assert scaled.shape == (1, 1, 16, 16)
    expected = 2 * torch.arange(16.0) + 0.5
    assert torch.allclose(scaled[0, 0, 8, 2:-2], expected[2:-2], atol=1e-4)


def test_turning_and_mirroring_are_numpys():
    shown = pictures(4)
    expected = torch.flip(torch.rot90(shown, 3, (2, 3)), (3,))
    assert torch.equal(Transform((1, 1), 3, True)(shown), expected)
    assert torch.equal(IDENTITY(shown), shown)


def test_latent_images_and_pictures_keep_their_proportion_under_every_draw():
    for number in range(200):
        transform = draw_transform(torch.Generator().manual_seed(number), 7, 1.0, 0.5)
        latents, shown = torch.zeros(1, 2, 7, 7), torch.zeros(1, 3, 56, 56)
        assert transform(shown).shape[-1] == 8 * transform(latents).shape[-1]


def test_the_share_the_scales_and_the_symmetries_are_drawn_as_said():
    drawn = [draw_transform(torch.Generator().manual_seed(number), 8, 0.4, 0.5) for number in range(4000)]
    transformed = [one for one in drawn if one != IDENTITY]
    # a draw that happens to be the identity is one of 5 sizes times 8 symmetries
    assert len(transformed) / len(drawn) == pytest.approx(0.4 * 39 / 40, abs=0.03)
    assert {one.scale for one in transformed} == {(side, 8) for side in range(4, 9)}
    symmetries = Counter((one.turns, one.mirrored) for one in transformed)
    assert len(symmetries) == 8
    assert max(symmetries.values()) < 1.4 * min(symmetries.values())
