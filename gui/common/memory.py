"""How much memory the program takes and how much each device has left, looked up every two seconds on a thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from gui.i18n import tr
from gui.i18n.numbers import GIB
from gui.workers.engine import DeviceMemory, Engine
from gui.workers.task import TaskRunner

_log = logging.getLogger(__name__)

INTERVAL_MS: Final = 2000


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes taken by the program, window and engine together, and bytes the machine has."""

    used: int
    total: int

    def text(self) -> str:
        """Say it with one digit after the point; dots before anything was measured."""
        if not self.total:
            return "…"
        return tr("{used:.1f} / {total:.0f} GB").format(used=self.used / GIB, total=self.total / GIB)


class MemoryModel(QObject):
    """Measures now and then, on a thread of its own; a slow answer is waited for, not asked for again.

    Parameters
    ----------
    is_ready
        Whether the engine may be asked; one that has died must not be started by a question about memory.

    Signals
    -------
    changed
        Look at `memory` and `devices`.
    """

    changed = pyqtSignal()

    def __init__(self, engine: Engine, is_ready: Callable[[], bool], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._is_ready = is_ready
        self._tasks = TaskRunner(1, self)
        self.memory = Memory(0, 0)
        self.devices: dict[str, DeviceMemory] = {}
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)

    def begin(self) -> None:
        """Measure now, and again every two seconds; not before the window is shown, since psutil takes its time."""
        self._timer.start(INTERVAL_MS)
        self.look()

    def look(self) -> None:
        """Measure soon."""
        if self._tasks.is_idle:
            ask = self._engine.memory if self._is_ready() else tuple
            pids = (None, getattr(self._engine, "pid", None))
            self._tasks.start(lambda: (_resident(*pids), ask()), self._accept, self._refuse)

    def _accept(self, measured: tuple[Memory, tuple[DeviceMemory, ...]]) -> None:
        self.memory, devices = measured
        self.devices = {device.key: device for device in devices}
        self.changed.emit()

    def _refuse(self, error: BaseException) -> None:
        _log.debug("The memory could not be looked up: %s", error)


def _resident(window: int | None, engine: int | None) -> Memory:
    import psutil  # a twentieth of a second that the window's start does not have

    used = _of_process(window) + (_of_process(engine) if engine else 0)
    return Memory(used, psutil.virtual_memory().total)


def _of_process(pid: int | None) -> int:
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
