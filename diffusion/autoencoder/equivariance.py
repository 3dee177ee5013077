"""The symmetries of skin that a latent image is taught (EQ-VAE, arXiv:2502.09509): scale, turns and mirroring.

A transform acts on a latent image and on the picture alike; an autoencoder that is equivariant decodes the transformed
latent image as the transformed picture.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate


class Transform(NamedTuple):
    """A change of size, then one of the eight symmetries of the square.

    Attributes
    ----------
    scale
        Numerator and denominator of the factor: the latent side after and before.
    turns
        Quarter turns, 0..3.
    mirrored
        Whether left and right are exchanged after turning.
    """

    scale: tuple[int, int] = (1, 1)
    turns: int = 0
    mirrored: bool = False

    def __call__(self, images: Tensor) -> Tensor:
        """Transform (N, C, H, W); sizes are scaled exactly, so H and W must be multiples of the denominator."""
        after, before = self.scale
        if after != before:
            size = [side * after // before for side in images.shape[-2:]]
            images = interpolate(images, size=size, mode="bilinear", antialias=True)
        turned = torch.rot90(images, self.turns, (-2, -1))
        return (turned.flip(-1) if self.mirrored else turned).contiguous(memory_format=torch.channels_last)


IDENTITY = Transform()


def draw_transform(stream: torch.Generator, side: int, share: float, smallest: float) -> Transform:
    """Return a random transform of latent images of a side.

    Parameters
    ----------
    share
        Probability that there is one at all.
    smallest
        Least factor of scale; the scaled side is uniform among the whole numbers up to `side`.
    """
    chance, size = torch.rand(2, generator=stream, dtype=torch.float64).tolist()
    symmetry = int(torch.randint(8, (), generator=stream))
    if chance >= share:
        return IDENTITY
    least = max(1, round(side * smallest))
    return Transform((least + int(size * (side - least + 1)), side), symmetry % 4, symmetry >= 4)
