"""How well two masks cover each other: Dice and IoU, also where one of them is empty."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Masks = NDArray[np.bool_]
Floats = NDArray[np.float64]

_HALF: Final = 128


def inside(values: NDArray[Any]) -> Masks:
    """Return where a mask of any values is inside.

    Grey masks, whose largest value is 128 or more, are inside from 128 on; label masks (0 and 1, 0 and 2, several
    labels) wherever they are not 0.
    """
    return values >= _HALF if values.size and values.max() >= _HALF else values > 0


def dice(first: Masks, second: Masks) -> Floats:
    """Return 2 |A and B| / (|A| + |B|) of each pair of masks (N, H, W), 0..1; 1 if both are empty, 0 if one is."""
    total = first.sum((1, 2)) + second.sum((1, 2))
    return _ratio(2 * (first & second).sum((1, 2)), total)


def iou(first: Masks, second: Masks) -> Floats:
    """Return |A and B| / |A or B| of each pair of masks (N, H, W), 0..1; 1 if both are empty, 0 if one is."""
    return _ratio((first & second).sum((1, 2)), (first | second).sum((1, 2)))


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> Floats:
    return np.divide(part, whole, out=np.ones(len(whole)), where=whole > 0)
