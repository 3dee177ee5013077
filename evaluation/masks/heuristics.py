"""The three rules by which an earlier program took the lesion from an image, kept for comparison with its numbers.

They are no segmenters: the red channel finds skin, not a dark lesion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

Masks = NDArray[np.bool_]
Images = NDArray[np.uint8]


def red_channel(images: Images) -> Masks:
    """Return where red is above one half; (N, H, W) of uint8 (N, 3, H, W)."""
    return images[:, 0] > 127.5


def saturation(images: Images) -> Masks:
    """Return where the saturation of HSV is above one half."""
    largest = images.max(axis=1).astype(np.float64)
    range_ = largest - images.min(axis=1)
    return range_ > 0.5 * largest


def brightness(images: Images) -> Masks:
    """Return where the mean of the channels is below one half."""
    return images.mean(axis=1) < 127.5


HEURISTICS: Final[Mapping[str, Callable[[Images], Masks]]] = {
    "red_channel": red_channel,
    "saturation": saturation,
    "brightness": brightness,
}
