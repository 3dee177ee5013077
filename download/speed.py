"""How fast a download is, over the last seconds."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from download.events import Downloading

INTERVAL: Final = 0.2
"""Seconds between two events: as often as a person can read."""

_WINDOW: Final = 5.0


class Speed:
    """Turns byte counts into events with a rate and a remaining time.

    Parameters
    ----------
    clock
        Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._points: deque[tuple[float, int]] = deque()
        self._shown = float("-inf")

    def event(self, received: int, total: int | None) -> Downloading | None:
        """Return the event for a count, or None if the last one was a moment ago; the last byte is always told."""
        now = self._clock()
        if self._points and received < self._points[-1][1]:
            self._points.clear()
        self._points.append((now, received))
        while len(self._points) > 2 and now - self._points[0][0] > _WINDOW:
            self._points.popleft()
        if received != total and now - self._shown < INTERVAL:
            return None
        self._shown = now
        rate = self._rate()
        remaining = (total - received) / rate if rate and total is not None else None
        return Downloading(received, total, rate, remaining)

    def _rate(self) -> float | None:
        (first, before), (last, now) = self._points[0], self._points[-1]
        return (now - before) / (last - first) if last > first and now > before else None
