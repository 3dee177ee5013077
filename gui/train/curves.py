"""Numbers that arrive while something runs, kept as curves of bounded length."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

MOST_POINTS: Final = 600
"""Points of a curve at most: about as many as a plot has columns."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve as it is drawn.

    Attributes
    ----------
    name
        What the legend says.
    xs, ys
        Of the same length; xs never fall.
    lows, highs
        Ends of an interval around each y, or empty.
    """

    name: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    lows: tuple[float, ...] = ()
    highs: tuple[float, ...] = ()


class Series:
    """Takes numbers one by one; neighbours are averaged as soon as there are too many."""

    def __init__(self, most: int = MOST_POINTS) -> None:
        self._most = most
        self._each = 1
        self._points: list[tuple[float, ...]] = []
        self._pending: list[tuple[float, ...]] = []

    def add(self, x: float, y: float, low: float | None = None, high: float | None = None) -> None:
        """Add a point."""
        self._pending.append((x, y, y if low is None else low, y if high is None else high))
        if len(self._pending) == self._each:
            self._points.append(_mean(self._pending))
            self._pending = []
        if len(self._points) >= self._most:
            self._points = [_mean(self._points[i : i + 2]) for i in range(0, len(self._points), 2)]
            self._each *= 2

    def curve(self, name: str) -> Curve:
        """Return the curve so far, the points that wait for neighbours included."""
        points = [*self._points, _mean(self._pending)] if self._pending else self._points
        xs, ys, lows, highs = (tuple(p[i] for p in points) for i in range(4))
        return Curve(name, xs, ys, lows, highs) if lows != ys or highs != ys else Curve(name, xs, ys)

    def __len__(self) -> int:
        return len(self._points) + bool(self._pending)


class CurveBook:
    """Several series by key."""

    def __init__(self) -> None:
        self._series: dict[str, Series] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._series.clear()

    def add(self, key: str, x: object, y: object, low: object = None, high: object = None) -> None:
        """Add a point of a series; what is no number is passed over."""
        if is_number(x) and is_number(y):
            ends = (low, high) if is_number(low) and is_number(high) else (None, None)
            self._series.setdefault(key, Series()).add(x, y, *ends)  # type: ignore[arg-type]

    def curves(self, names: Mapping[str, str]) -> list[Curve]:
        """Return the curves of these keys that have points, named as told."""
        return [self._series[key].curve(name) for key, name in names.items() if key in self._series]


def is_number(value: object) -> bool:
    """Whether a value of JSON is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _mean(points: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(sum(values) / len(points) for values in zip(*points, strict=True))
