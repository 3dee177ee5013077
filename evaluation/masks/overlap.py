"""How well two masks cover each other: Dice and IoU, also where one of them is empty."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Masks = NDArray[np.bool_]
Floats = NDArray[np.float64]


def dice(first: Masks, second: Masks) -> Floats:
    """Return 2 |A and B| / (|A| + |B|) of each pair of masks (N, H, W), 0..1; 1 if both are empty, 0 if one is."""
    total = first.sum((1, 2)) + second.sum((1, 2))
    return _ratio(2 * (first & second).sum((1, 2)), total)


def iou(first: Masks, second: Masks) -> Floats:
    """Return |A and B| / |A or B| of each pair of masks (N, H, W), 0..1; 1 if both are empty, 0 if one is."""
    return _ratio((first & second).sum((1, 2)), (first | second).sum((1, 2)))


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> Floats:
    return np.divide(part, whole, out=np.ones(len(whole)), where=whole > 0)
