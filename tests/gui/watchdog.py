"""Watches the event loop of the GUI thread."""

from __future__ import annotations

import time

from PyQt5.QtCore import QTimer


class Watchdog:
    """The longest time between two turns of the event loop.

    Attributes
    ----------
    longest
        Seconds in which the GUI thread computed. Other programs do not count, so a busy machine does not decide.
    longest_wall
        Seconds that went by: also those in which the GUI thread waited for something, which it never may.
    """

    def __init__(self) -> None:
        self.longest = self.longest_wall = 0.0
        self._last = time.thread_time(), time.monotonic()
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(0)

    def stop(self) -> float:
        """Return `longest`, and look no more."""
        self._timer.stop()
        return self.longest

    def _tick(self) -> None:
        now = time.thread_time(), time.monotonic()
        self.longest = max(self.longest, now[0] - self._last[0])
        self.longest_wall = max(self.longest_wall, now[1] - self._last[1])
        self._last = now
