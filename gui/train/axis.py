"""Where an axis has its marks, and what stands beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from gui.i18n.numbers import number

_STEPS: Final = (1.0, 2.0, 2.5, 5.0)
_MOST_DECIMALS: Final = 6
_THOUSAND: Final = 1000.0
_MILLION: Final = 1e6


def extent(values: Sequence[float], *, from_zero: bool = False) -> tuple[float, float]:
    """Return the range of an axis for some values: never empty, and with a little air."""
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    if from_zero:
        low = min(low, 0.0)
    if low == high:
        spread = abs(low) or 1.0
        return low - (0.0 if from_zero else spread / 2), high + spread / 2
    air = (high - low) / 20
    return low - (0.0 if from_zero and low == 0 else air), high + air


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return round numbers within a range, evenly apart: as many as fit into `most`, and two at least."""
    raw = (high - low) / max(1, most)
    power = 10.0 ** (math.floor(math.log10(raw)) - 1)
    steps = [power * 10**place * factor for place in range(3) for factor in _STEPS]
    found = [_multiples(low, high, step) for step in steps if step >= raw / 4]
    enough = [marks for marks in found if len(marks) >= 2]
    return next((marks for marks in enough if len(marks) <= most), min(enough, key=len, default=[]))


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{place * step:.12g}") for place in range(first, last + 1)]


def tick_texts(marks: Sequence[float]) -> list[str]:
    """Return what stands at the marks: as many decimals as they need, thousands and millions short (``k``, ``M``)."""
    largest = max((abs(mark) for mark in marks), default=0.0)
    unit, suffix = (_MILLION, "M") if largest >= _MILLION else (_THOUSAND, "k") if largest >= 10_000 else (1.0, "")
    scaled = [mark / unit for mark in marks]
    decimals = next(
        (places for places in range(_MOST_DECIMALS) if all(abs(round(m, places) - m) < 1e-9 for m in scaled)),
        _MOST_DECIMALS,
    )
    return [number(value, decimals) + (suffix if value else "") for value in scaled]
