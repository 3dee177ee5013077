"""How much memory the program takes, window and engine together, looked up every two seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psutil
from PyQt5.QtCore import QObject, QTimer, pyqtSignal

INTERVAL_MS: Final = 2000
GIB: Final = 2**30


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes taken by the program and bytes the machine has."""

    used: int
    total: int

    def text(self) -> str:
        """Say it with one digit after the point."""
        return f"{self.used / GIB:.1f} / {self.total / GIB:.0f} GB"


class MemoryModel(QObject):
    """Measures now and then; a measurement takes well under a millisecond.

    Parameters
    ----------
    engine_pid
        Returns the process id of the engine, or None.
    """

    changed = pyqtSignal()

    def __init__(self, engine_pid: Callable[[], int | None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine_pid = engine_pid
        self.memory = self._measure()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._update)
        self._timer.start(INTERVAL_MS)

    def _update(self) -> None:
        self.memory = self._measure()
        self.changed.emit()

    def _measure(self) -> Memory:
        engine = self._engine_pid()
        used = _resident(None) + (_resident(engine) if engine else 0)
        return Memory(used, psutil.virtual_memory().total)


def _resident(pid: int | None) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
