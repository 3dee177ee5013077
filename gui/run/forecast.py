"""What the run that the window describes will come to: time, disk, memory, and what speaks against it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from core.errors import ISICGUIError
from core.generation import GenerationRequest
from core.generator.cost import RunEstimate, bytes_on_disk
from core.message import joined
from gui.common.memory import MemoryModel
from gui.i18n import tr, translate
from gui.i18n.numbers import gib_text, size_text
from gui.run.request import Estimate
from gui.run.speed import SpeedBook
from gui.workers.engine import Engine
from gui.workers.task import TaskRunner

_log = logging.getLogger(__name__)

DELAY_MS: Final = 250
"""Somebody who turns a spin box asks once, when the turning is over."""

REPEAT_MS: Final = 10_000
"""Drives fill up and other programs come and go while nothing is changed here."""

DISK_MARGIN: Final = 100 * 2**20
"""Bytes that should be left over on the drive."""


class ForecastModel(QObject):
    """Asks the engine what a request comes to, a moment after the request has changed.

    Parameters
    ----------
    ask
        Returns the request as the window describes it now, or None if there is none.
    may_ask
        Whether the engine is ready and idle.

    Signals
    -------
    changed
        Look at `estimate` and `warnings`.
    """

    changed = pyqtSignal()

    def __init__(
        self,
        engine: Engine,
        ask: Callable[[], GenerationRequest | None],
        may_ask: Callable[[], bool],
        memory: MemoryModel,
        speeds: SpeedBook,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine, self._ask, self._may_ask = engine, ask, may_ask
        self._memory, self._speeds = memory, speeds
        self._tasks = TaskRunner(1, self)
        self._trials = TaskRunner(1, self)
        self._tried: set[str] = set()
        self._asked: GenerationRequest | None = None
        self.run_estimate: RunEstimate | None = None
        self.refusal = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._look)
        self._repeat = QTimer(self)
        self._repeat.timeout.connect(self._look)
        self._repeat.start(REPEAT_MS)

    def look_soon(self) -> None:
        """Tell what is known of the present request, and ask for what is not."""
        self.changed.emit()
        self._timer.start(DELAY_MS)

    @property
    def estimate(self) -> Estimate:
        """What the present request costs, as far as it is known."""
        request = self._ask()
        if request is None:
            return Estimate((), None, None)
        counts = tuple(count for _, count in request.counts)
        told = self.run_estimate
        if told is None:
            return Estimate(counts, None, None)
        seconds = self._speeds.seconds(request, told.device, told.precision, told.image_size)
        return Estimate(counts, seconds, bytes_on_disk(request, told.image_size), not self._trials.is_idle)

    @property
    def warnings(self) -> list[str]:
        """What speaks against starting, in sentences; nobody is kept from it."""
        if self._ask() is None:
            return []
        if self.refusal:
            return [translate(self.refusal)]
        told = self.run_estimate
        return [*_of_memory(told, self._memory), *_of_disk(told), *_of_writer(told)] if told else []

    def _look(self) -> None:
        request = self._ask()
        if request is None or not self._may_ask() or not self._tasks.is_idle:
            return
        self._asked = request
        self._tasks.start(lambda: self._engine.estimate_run(request), self._accept, self._refuse)

    def _accept(self, run_estimate: RunEstimate) -> None:
        self.run_estimate, self.refusal = run_estimate, ""
        self._try_out(run_estimate)
        self._tell()

    def _try_out(self, run_estimate: RunEstimate) -> None:
        """Have a few steps made where nothing of the kind was made on this machine before, once each."""
        request = self._asked
        if request is None or request != self._ask() or not self._may_ask() or not self._trials.is_idle:
            return
        kind = self._speeds.kind(request, run_estimate)
        told = run_estimate.device, run_estimate.precision, run_estimate.image_size
        if kind in self._tried or self._speeds.seconds(request, *told) is not None:
            return
        self._tried.add(kind)
        self._trials.start(
            partial(self._engine.time_step, request), partial(self._expect, request, run_estimate), self._leave_untried
        )

    def _expect(self, request: GenerationRequest, run_estimate: RunEstimate, seconds: float) -> None:
        if self._may_ask():
            self._speeds.expect(request, run_estimate, seconds)
        else:  # a run that has begun in the meantime slowed the trial, and measures better
            self._tried.discard(self._speeds.kind(request, run_estimate))
        self.changed.emit()

    def _leave_untried(self, error: BaseException) -> None:
        _log.debug("How long an image takes could not be tried out: %s", error)
        self.changed.emit()

    def _refuse(self, error: BaseException) -> None:
        if isinstance(error, ISICGUIError):
            self.run_estimate, self.refusal = None, joined((error.message, error.remedy))
        else:
            _log.warning("What the run will take could not be found out: %s", error)
        self._tell()

    def _tell(self) -> None:
        self.changed.emit()
        if self._ask() != self._asked:
            self._timer.start(DELAY_MS)


def _of_memory(told: RunEstimate, memory: MemoryModel) -> list[str]:
    device = memory.devices.get(told.device)
    if device is None or told.memory <= device.free:
        return []
    words = tr("Memory: the run needs up to {need}, {device} has {free} free.")
    return [words.format(need=gib_text(told.memory), device=told.device.upper(), free=gib_text(device.free))]


def _of_disk(told: RunEstimate) -> list[str]:
    if told.free_disk is None or told.disk + DISK_MARGIN <= told.free_disk:
        return []
    words = tr("Disk: the images need about {need}, {free} are free there.")
    return [words.format(need=size_text(told.disk), free=size_text(told.free_disk))]


def _of_writer(told: RunEstimate) -> list[str]:
    words = tr("Another program is writing to this output folder. {who}.")
    return [words.format(who=told.writer)] if told.writer else []
