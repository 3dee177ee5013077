"""From values of any range to 8 bits: what is black and what is white where a file does not say it.

Cameras keep 10, 12 or 14 bits in words of 16, scripts write floats from 0 to 1 or from 0 to 255. The range is the
smallest usual one that holds the largest value; where that is a guess between unlike pictures, the file is refused.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.message import Message

_DEPTHS: Final = (8, 10, 12, 14, 16)


class UnknownRangeError(ValueError):
    """Values whose range cannot be told; the text says why, as part of a sentence."""


def to_bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return values as 0..255, of the same shape.

    Parameters
    ----------
    values
        Booleans, whole numbers or floats of one picture.

    Raises
    ------
    UnknownRangeError
        If there are negative, infinite or missing values, or larger ones than any usual range has.
    """
    if values.dtype == np.uint8:
        return np.asarray(values, np.uint8)
    if values.dtype == np.bool_:
        return np.asarray(np.where(values, 255, 0), np.uint8)
    white = _white(values)
    scaled = values.astype(np.float64) * (255 / white)
    return np.asarray(np.floor(scaled + 0.5).clip(0, 255), np.uint8)


def _white(values: NDArray[Any]) -> float:
    """Return the value that is white."""
    if not (np.issubdtype(values.dtype, np.integer) or np.issubdtype(values.dtype, np.floating)):
        raise UnknownRangeError(Message("values of the kind {kind}", kind=values.dtype))
    if not np.isfinite(values).all():
        raise UnknownRangeError(Message("values that are infinite or missing"))
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if low < 0:
        raise UnknownRangeError(Message("negative values (down to {low:g})", low=low))
    if np.issubdtype(values.dtype, np.floating) and high <= 1:
        return 1.0
    full = float(np.iinfo(values.dtype).max) if np.issubdtype(values.dtype, np.integer) else 0.0
    if high <= 2 ** _DEPTHS[-1] - 1:
        return next(float(2**bits - 1) for bits in _DEPTHS if high <= 2**bits - 1)
    if high <= full / 2 or not full:
        raise UnknownRangeError(Message("values up to {high:g}, of no usual range", high=high))
    return full
