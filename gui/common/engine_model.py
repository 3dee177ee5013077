"""The engine as the window sees it: starting, ready with its devices, or not usable."""

from __future__ import annotations

import enum
import logging

from PyQt5.QtCore import QObject, pyqtSignal

from gui.workers.engine import Engine, EngineInfo
from gui.workers.task import TaskRunner

_log = logging.getLogger(__name__)


class EngineState(enum.Enum):
    """Where the engine stands."""

    COLD = "cold"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


class EngineModel(QObject):
    """Warms the engine up after the window is on screen.

    Signals
    -------
    changed
        Look at `state` and `info`.
    failed
        The engine did not start; carries the exception.
    """

    changed = pyqtSignal()
    failed = pyqtSignal(object)

    def __init__(self, engine: Engine, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._tasks = tasks
        self.state = EngineState.COLD
        self.info: EngineInfo | None = None

    def warm_up(self) -> None:
        """Start it."""
        self._show(EngineState.STARTING, None)
        self._tasks.start(self._engine.warm_up, self._accept, self._refuse)

    def _accept(self, info: EngineInfo) -> None:
        names = ", ".join(device.name for device in info.devices)
        versions = "".join(f", {name} {version}" for name, version in info.versions.items())
        _log.info("Engine ready: %s%s", names, versions)
        self._show(EngineState.READY, info)

    def _refuse(self, error: BaseException) -> None:
        self._show(EngineState.FAILED, None)
        self.failed.emit(error)

    def _show(self, state: EngineState, info: EngineInfo | None) -> None:
        self.state, self.info = state, info
        self.changed.emit()
