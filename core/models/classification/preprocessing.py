"""From an image's own pixels to what a classifier was trained on, differentiably."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

Triple = tuple[float, float, float]

IMAGENET_MEAN: Final[Triple] = (0.485, 0.456, 0.406)
IMAGENET_STD: Final[Triple] = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Resize to a square, then normalise. A picture that is no square is squeezed: every pixel counts.

    Attributes
    ----------
    image_size
        Side of the square that the network sees, in pixels.
    mean, std
        Per channel, for pixels in 0..1: what is subtracted, and what the rest is divided by.
    """

    image_size: int
    mean: Triple
    std: Triple

    def __call__(self, pixels: Tensor) -> Tensor:
        """Map (N, 3, H, W) in 0..1 to the network's input (N, 3, image_size, image_size)."""
        size = (self.image_size, self.image_size)
        if pixels.shape[-2:] != size:
            pixels = interpolate(pixels, size=size, mode="bilinear", align_corners=False, antialias=True)
        return (pixels - _channels(self.mean, pixels)) / _channels(self.std, pixels)


LEGACY: Final = Preprocessing(224, IMAGENET_MEAN, IMAGENET_STD)
"""What ISICGenerator does before its `classifier.pth`."""


def _channels(values: Triple, like: Tensor) -> Tensor:
    return like.new_tensor(values).view(1, 3, 1, 1)


def to_tensor(image: NDArray[np.uint8] | NDArray[np.float32]) -> Tensor:
    """Return (H, W, 3) as a float32 tensor (1, 3, H, W); a copy; uint8 is mapped to 0..1."""
    pixels = torch.tensor(np.ascontiguousarray(image)).permute(2, 0, 1).unsqueeze(0).float()
    return pixels / 255 if image.dtype == np.uint8 else pixels
