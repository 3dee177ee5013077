"""The regions that a map calls most and least important, of exactly equal area, and their random rivals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Mask = NDArray[np.bool_]

AREA: Final = 0.1
"""Share of the picture that each region takes."""

SMOOTHING: Final = 0.03
"""Blur before ranking, as a fraction of the longer side: regions, not scattered pixels."""

RANDOM_DRAWS: Final = 20


def importance(attribution: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return how much each pixel matters, whatever its sign: |sum over the channels|, blurred; shape (H, W).

    Parameters
    ----------
    attribution
        Signed, shape (H, W, 3) or (H, W).
    """
    total = attribution if attribution.ndim == 2 else attribution.sum(axis=2, dtype=np.float64)
    blurred: NDArray[np.float64] = gaussian_filter(np.abs(total).astype(np.float64), SMOOTHING * max(total.shape))
    return blurred


def region_size(shape: tuple[int, ...], area: float = AREA) -> int:
    """Return the number of pixels in a region: `area` of all, at least one and at most half of them."""
    pixels = shape[0] * shape[1]
    return min(max(1, round(area * pixels)), pixels // 2)


def top_and_bottom(values: NDArray[np.floating], area: float = AREA) -> tuple[Mask, Mask]:
    """Return the masks of the largest and of the smallest values, of exactly the same number of pixels, disjoint.

    Equal values rank in reading order, so that the regions are always the same.
    """
    count = region_size(values.shape, area)
    order = np.argsort(values, axis=None, kind="stable")
    return _mask(order[-count:], values.shape), _mask(order[:count], values.shape)


def random_rivals(mask: Mask, draws: int, rng: np.random.Generator) -> Iterator[Mask]:
    """Yield a region moved to random places: shifted around the edges, mirrored and, in a square, turned.

    So a rival has the area of the region, and its shape and perimeter too unless the edge of the picture cuts it.
    """
    height, width = mask.shape
    for _ in range(draws):
        moved = np.roll(mask, (int(rng.integers(height)), int(rng.integers(width))), axis=(0, 1))
        moved = moved[:: rng.choice((-1, 1)), :: rng.choice((-1, 1))]
        turned = moved.T if height == width and rng.random() < 0.5 else moved
        yield np.ascontiguousarray(turned)


def _mask(indices: NDArray[np.int64], shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape[0] * shape[1], dtype=bool)
    mask[indices] = True
    return mask.reshape(shape)
