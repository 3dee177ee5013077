"""A thread that runs an iterator of events and hands them to the GUI thread, few signals for many events."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator

from PyQt5.QtCore import QObject, QThread, pyqtSignal

from core.events import Event, Step

_log = logging.getLogger(__name__)

Stream = Callable[[], Iterator[Event]]


class StreamThread(QThread):
    """Runs a stream of events to its end.

    Events wait in an inbox; `arrived` is emitted once per filling of it, so that a fast engine cannot flood the GUI
    thread. Successive steps without anything between them are merged into the latest one.

    Signals
    -------
    arrived
        There is something to `take`.
    failed
        The stream raised; carries the exception. Every exception arrives here, RuntimeError included.
    """

    arrived = pyqtSignal()
    failed = pyqtSignal(object)

    def __init__(self, stream: Stream, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stream = stream
        self._inbox: deque[Event] = deque()

    def run(self) -> None:
        """Work through the stream; called by Qt in the new thread."""
        try:
            for event in self._stream():
                self._post(event)
        except Exception as error:  # noqa: BLE001 - the boundary of the thread: the error becomes a signal
            _log.debug("The stream raised", exc_info=True)
            self.failed.emit(error)

    def take(self) -> list[Event]:
        """Return and forget what has arrived, in order; called in the GUI thread."""
        events: list[Event] = []
        while self._inbox:
            event = self._inbox.popleft()
            if events and isinstance(event, Step) and isinstance(events[-1], Step):
                event = _merge(events.pop(), event)
            events.append(event)
        return events

    def _post(self, event: Event) -> None:
        self._inbox.append(event)
        if len(self._inbox) == 1:  # asked after appending: asked before, a take in between would lose the wake-up
            self.arrived.emit()


def _merge(earlier: Event, later: Step) -> Step:
    """Return the later step; it inherits the preview of the earlier one if it has none of its own."""
    if later.preview is None and isinstance(earlier, Step) and earlier.preview is not None:
        same = earlier.images == later.images
        return _with_preview(later, earlier) if same else later
    return later


def _with_preview(step: Step, source: Step) -> Step:
    return Step(step.class_code, step.step, step.steps, step.timestep, step.images, source.preview)
