"""The log as the window shows it: gathered from any thread, handed over in batches ten times a second."""

from __future__ import annotations

import logging
from collections import deque
from datetime import datetime
from typing import Final

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from core.utils.logger import RingHandler

INTERVAL_MS: Final = 100
KEPT: Final = 2000


class LogModel(QObject):
    """Records that pass the filter.

    Signals
    -------
    appended
        Carries a list of lines, each (level, text).
    cleared
        The filter has changed: forget what was shown, the fitting lines follow.
    """

    appended = pyqtSignal(object)
    cleared = pyqtSignal()

    def __init__(self, ring: RingHandler, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.ring = ring
        self._fresh: deque[logging.LogRecord] = deque(maxlen=KEPT)
        self._level = logging.INFO
        self._text = ""
        ring.add_listener(self._fresh.append)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._hand_over)
        self._timer.start(INTERVAL_MS)

    def show_all(self) -> None:
        """Hand over everything that is in memory and fits."""
        self._fresh.clear()
        self.cleared.emit()
        self._emit(list(self.ring.records()))

    def set_filter(self, level: int, text: str) -> None:
        """Show records of at least `level` that contain `text`, whatever its case."""
        self._level, self._text = level, text.casefold()
        self.show_all()

    def close(self) -> None:
        """Stop listening."""
        self._timer.stop()
        self.ring.remove_listener(self._fresh.append)

    def _hand_over(self) -> None:
        records = []
        while self._fresh:
            records.append(self._fresh.popleft())
        if records:
            self._emit(records)

    def _emit(self, records: list[logging.LogRecord]) -> None:
        lines = [(r.levelno, line_of(r)) for r in records if r.levelno >= self._level]
        fitting = [(level, line) for level, line in lines if self._text in line.casefold()]
        if fitting:
            self.appended.emit(fitting)


def line_of(record: logging.LogRecord) -> str:
    """Return the line of a record: time, a mark for what is no plain information, message."""
    moment = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
    mark = "" if record.levelno <= logging.INFO else f"{record.levelname.capitalize()}: "
    return f"{moment}  {mark}{record.getMessage()}"
