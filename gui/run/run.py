"""The run: what is being made, how far it is, and how it is stopped."""

from __future__ import annotations

import enum
import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from PyQt5.QtCore import QObject, pyqtSignal

from core.cancel import CancelToken, StopMode
from core.events import (
    Continued,
    Event,
    Failed,
    Finished,
    ImageDone,
    Loaded,
    Loading,
    Notice,
    Paused,
    Started,
    Step,
)
from core.generation import UNCHANGED, GenerationRequest, RunChanges
from core.jobs.stream import JobStopped
from gui.i18n import tr
from gui.i18n.numbers import duration
from gui.workers.engine import Engine
from gui.workers.stream import Stream, StreamThread

_log = logging.getLogger(__name__)


class RunState(enum.Enum):
    """Where a run stands."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"


PAUSES: Final = (RunState.PAUSING, RunState.PAUSED)
"""A pause is asked for; has come into force, after the denoising step that was being computed."""


class RunModel(QObject):
    """One run at a time, on an engine it knows only by its interface.

    Signals
    -------
    state_changed, progress_changed
        Look at the attributes.
    began, stepped, image_done, class_failed, finished
        Carry the engine's event.
    failed
        The run ended with an error; carries the exception.

    Attributes
    ----------
    request
        What is being carried out; None while interrupted runs are finished of which only the folder knows.
    last_request
        What was started last, in this window or the one before.
    output
        The folder of the run that goes on or has ended last; None before the first.
    batch_size
        Images that the engine draws together by now; 0 until it has said so.
    last, error
        How the latest run ended; both None while one goes on, and before the first.
    """

    state_changed = pyqtSignal()
    progress_changed = pyqtSignal()
    began = pyqtSignal(object)
    stepped = pyqtSignal(object)
    image_done = pyqtSignal(object)
    class_failed = pyqtSignal(object)
    finished = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._thread: StreamThread | None = None
        self._cancel = CancelToken()
        self.state = RunState.IDLE
        self.request: GenerationRequest | None = None
        self.last_request: GenerationRequest | None = None
        self.output: Path | None = None
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            Started: self._on_started,
            Loading: self._on_loading,
            Loaded: self._on_loaded,
            Step: self._on_step,
            ImageDone: self._on_image,
            Failed: self._on_failed,
            Notice: self._on_notice,
            Paused: self._on_paused,
            Continued: self._on_continued,
            Finished: self._on_finished,
        }
        self._forget()

    @property
    def busy(self) -> bool:
        """Whether something runs."""
        return self.state is not RunState.IDLE

    @property
    def can_pause(self) -> bool:
        """Whether `toggle_pause` does anything."""
        return self.state in (RunState.STARTING, RunState.RUNNING, *PAUSES)

    @property
    def stop_mode(self) -> StopMode | None:
        """How the run has been asked to stop, if it has."""
        return self._cancel.mode

    @property
    def fraction(self) -> float:
        """How much is done, 0..1, including the images that are half made."""
        if not self.total:
            return 0.0
        half_made = len(self.step.images) * self.step.step / self.step.steps if self.step else 0.0
        return min(1.0, (self.done + self.failed_images + half_made) / self.total)

    def start(self, request: GenerationRequest) -> None:
        """Carry out a request; does nothing while another is being carried out."""
        if self.busy:
            return
        self._launch(lambda: self._engine.generate(request, self._cancel), request.output, request)

    def resume(self, output: Path, request: GenerationRequest | None = None, changes: RunChanges = UNCHANGED) -> None:
        """Finish the interrupted runs of a folder.

        Parameters
        ----------
        request
            What was asked for, if it is known.
        changes
            Which run alone, and what to do otherwise than it was asked for.
        """
        if not self.busy:
            self._launch(lambda: self._engine.resume(output, changes, self._cancel), output, request)

    def stop(self, mode: StopMode) -> None:
        """Ask the run to stop; a later call can only be more urgent."""
        if not self.busy:
            return
        self._cancel.request(mode)
        _log.info("Stop requested: %s", mode.value.replace("_", " "))
        self._set_state(RunState.STOPPING)

    def toggle_pause(self) -> None:
        """Pause the run after the denoising step it is at, or let it go on."""
        if not self.can_pause:
            return
        if self.state in PAUSES:
            self._cancel.go_on()
            _log.info("The run goes on")
            self._set_state(RunState.RUNNING if self.started else RunState.STARTING)
        else:
            self._cancel.pause()
            _log.info("Pause requested")
            self._set_state(RunState.PAUSING)

    def wait(self, milliseconds: int) -> bool:
        """Block until the worker has ended; for the end of the program and for tests."""
        return self._thread is None or self._thread.wait(milliseconds)

    def _launch(self, stream: Stream, output: Path, request: GenerationRequest | None = None) -> None:
        self._forget()
        self.output, self.request = output, request
        self.last_request = request or self.last_request
        self._cancel = CancelToken()
        self._thread = StreamThread(stream, self)
        self._thread.arrived.connect(self._take)
        self._thread.failed.connect(self._fail)
        self._thread.finished.connect(self._end)
        self._set_state(RunState.STARTING)
        self._thread.start()

    def _forget(self) -> None:
        self.total = self.done = self.failed_images = self.batch_size = 0
        self.rate: float | None = None
        self.remaining: float | None = None
        self.step: Step | None = None
        self.started: Started | None = None
        self.loading = ""
        self.image_size: int | None = None
        self.counts: dict[str, int] = {}
        self.made: Counter[str] = Counter()
        self.last: Finished | None = None
        self.error: BaseException | None = None

    def _set_state(self, state: RunState) -> None:
        if state is not self.state:
            self.state = state
            self.state_changed.emit()

    def _take(self) -> None:
        if self._thread:
            for event in self._thread.take():
                self._apply(event)
            self.progress_changed.emit()

    def _apply(self, event: Event) -> None:
        handler = self._handlers.get(type(event))
        if handler:
            handler(event)

    def _on_started(self, event: Started) -> None:
        self.started, self.total, self.counts, self.done = event, event.total, dict(event.counts), 0
        self.batch_size = event.batch_size
        self.made.clear()
        _log.info("Run %s: %s on %s, %s", event.run_id, _images(event.total), event.device, event.precision)
        if self.state is RunState.STARTING:
            self._set_state(RunState.RUNNING)
        self.began.emit(event)

    def _on_loading(self, event: Loading) -> None:
        self.loading = event.class_code

    def _on_loaded(self, event: Loaded) -> None:
        self.loading = ""
        _log.info("Model for %s ready in %.1f s: %s", event.class_code, event.seconds, event.path.name)

    def _on_step(self, event: Step) -> None:
        self.step = event
        if event.preview is not None:
            self.image_size = event.preview.noisy.shape[0]
        self.stepped.emit(event)

    def _on_image(self, event: ImageDone) -> None:
        self.step = None
        self.done, self.rate, self.remaining = event.done, event.rate, event.remaining
        self.made[event.class_code] += 1
        _log.info("%s %s written", event.class_code, event.file.name)
        self.image_done.emit(event)

    def _on_failed(self, event: Failed) -> None:
        self.failed_images += event.images
        _log.warning("%s: %s %s", event.class_code, event.message, event.remedy)
        self.class_failed.emit(event)

    def _on_notice(self, event: Notice) -> None:
        if event.kind == "batch_halved":
            self.batch_size = max(1, self.batch_size // 2)
        _log.warning("%s", event.message)

    def _on_paused(self, event: Paused) -> None:
        if self._cancel.is_paused:  # else the user has already let it go on
            self._set_state(RunState.PAUSED)

    def _on_continued(self, event: Continued) -> None:
        if self.state in PAUSES and not self._cancel.is_paused:
            self._set_state(RunState.RUNNING)

    def _on_finished(self, event: Finished) -> None:
        self.last = event
        if event.status == "discarded":
            self.done = self.total = 0
            self.made.clear()

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, JobStopped) and self.output is not None:  # before the engine had begun
            left = sum(dict(self.request.counts).values()) if self.request else 0
            self.last = Finished("", "stopped", 0, 0, remaining=left, seconds=0.0, output=self.output)
        else:
            self.error = error

    def _end(self) -> None:
        """Tell the result only when the thread has really ended, so that a new run may start in the same breath."""
        self._take()
        thread, self._thread = self._thread, None
        if thread:
            thread.deleteLater()
        self.step, self.loading, self.remaining = None, "", None
        self._set_state(RunState.IDLE)
        self.progress_changed.emit()
        if self.error:
            _log.error("The run failed: %s", self.error)
            self.failed.emit(self.error)
        elif self.last:
            end = self.last
            made = _images(end.written)
            _log.info("The run is %s: %s, %d failed, %.0f s", end.status, made, end.failed, end.seconds)
            self.finished.emit(self.last)


def _images(count: int) -> str:
    """Count images for the log, which is English in every language of the window."""
    return "1 image" if count == 1 else f"{count} images"


def summary(event: Finished) -> str:
    """Say in a sentence how a run ended."""
    if event.status != "completed" and not event.run_id:
        return tr("Stopped before the run began.")
    if event.status == "discarded":
        return tr("Stopped. The images of this run were deleted.")
    if event.status == "stopped":
        return tr("Stopped; %n image(s) of this run kept.", event.written)
    made = tr("Finished: %n image(s) ({time}).", event.written).format(time=duration(event.seconds))
    return f"{made} {tr('%n image(s) could not be generated.', event.failed)}" if event.failed else made
