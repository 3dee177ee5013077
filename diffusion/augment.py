"""Zoomed and recoloured views of a photograph, for images that say that they are.

Skin has no up or down, so a turned photograph is as true as the original. A recoloured one is not: a generator that
learns from it paints such colours. Karras et al. (2022, arXiv:2206.00364, appendix F.2) tell the network what was done
to each image and ask for nothing when sampling. Here it is told by the label: every label has a twin for augmented
images, so the pack remains a plain UNet2DModel, and what the twins learn cannot be sampled by accident.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate

ZOOM = 0.25
"""Largest part of the side that is cut away, so no border has to be invented."""

GAIN, CHANNEL_GAIN, SHIFT = 0.15, 0.08, 0.08
"""Largest change of contrast, of a channel's contrast, and of brightness, as a share of the full range."""


def zoom_and_recolour(image: Tensor, uniform: Tensor) -> Tensor:
    """Return a view of a (3, S, S) uint8 image: a part of it at full size, in slightly other colours.

    Parameters
    ----------
    uniform
        8 numbers in 0..1 that decide everything: size, place (2), contrast, that of each channel (3), brightness.
    """
    return _recoloured(_zoomed(image.float(), uniform[:3]), uniform[3:] * 2 - 1).round().clamp(0, 255).to(torch.uint8)


def _zoomed(image: Tensor, uniform: Tensor) -> Tensor:
    size = image.shape[-1]
    side = size - int(uniform[0] * (ZOOM * size + 1))
    top, left = (int(place * (size - side + 1)) for place in uniform[1:])
    part = image[None, :, top : top + side, left : left + side]
    return interpolate(part, size=(size, size), mode="bicubic", antialias=True, align_corners=False)[0]


def _recoloured(image: Tensor, change: Tensor) -> Tensor:
    mean = image.mean((1, 2), keepdim=True)
    contrast = 1 + GAIN * change[0] + CHANNEL_GAIN * change[1:4, None, None]
    return (image - mean) * contrast + mean * (1 + CHANNEL_GAIN * change[1:4, None, None]) + 255 * SHIFT * change[4]
