"""How fast a run goes and how long it will still take, from finished images only; and when the next preview is due."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

PREVIEWS_PER_SECOND: Final = 15

Clock = Callable[[], float]


class WorkClock:
    """Tells the seconds since any moment, as `time.perf_counter` does, but stands still while a run is paused."""

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self._clock = clock
        self._left_out = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self._clock() - self._left_out

    def leave_out(self, seconds: float) -> None:
        """Let the last `seconds` not have been."""
        self._left_out += seconds


class ProgressRate:
    """Counts finished images against the clock.

    Parameters
    ----------
    left
        Images still to be made.
    """

    def __init__(self, left: int, clock: Clock = time.perf_counter) -> None:
        self._clock = clock
        self._left = left
        self._finished = 0
        self._began = clock()

    def start(self) -> None:
        """Begin to measure now, if nothing is finished yet: loading the first model is no measure of drawing."""
        if not self._finished:
            self._began = self._clock()

    def finish_one(self) -> None:
        """Count one finished image."""
        self._finished += 1
        self._left -= 1

    @property
    def rate(self) -> float | None:
        """Images per second since drawing began, or None before two images are finished."""
        elapsed = self._clock() - self._began
        return self._finished / elapsed if self._finished >= 2 and elapsed > 0 else None

    @property
    def remaining(self) -> float | None:
        """Seconds until the run is finished if it goes on like this, or None."""
        rate = self.rate
        return None if rate is None else self._left / rate


class PreviewGate:
    """Lets at most `PREVIEWS_PER_SECOND` previews through."""

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self._clock = clock
        self._next = float("-inf")

    def is_due(self) -> bool:
        """Tell whether a preview may be shown now; if so, the next one has to wait."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + 1 / PREVIEWS_PER_SECOND
        return True
