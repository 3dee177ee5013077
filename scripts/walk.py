"""Leads a window through scenes: a generator says what to wait for, the event loop goes on meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

Wait = int | Callable[[], bool]
"""Milliseconds, or a condition that must become true."""

LOOK_EVERY_MS = 50
PATIENCE_S = 300.0


class Walk(QObject):
    """Runs a generator of waits to its end.

    Signals
    -------
    ended
        Carries an empty text, or what the walk got stuck at.
    """

    ended = pyqtSignal(str)

    def __init__(self, scenes: Iterator[Wait]) -> None:
        super().__init__()
        self._scenes = scenes
        self._until: Callable[[], bool] = lambda: True
        self._since = time.monotonic()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        if self._until():
            self._go_on()
        elif time.monotonic() - self._since > PATIENCE_S:
            self._end(f"waited for {PATIENCE_S:.0f} s in vain: {self._until}")

    def _go_on(self) -> None:
        try:
            wait = next(self._scenes)
        except StopIteration:
            self._end("")
            return
        self._since = since = time.monotonic()
        self._until = wait if callable(wait) else lambda: time.monotonic() - since >= wait / 1000

    def _end(self, trouble: str) -> None:
        self._timer.stop()
        self.ended.emit(trouble)
