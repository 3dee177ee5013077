"""One job beside the window: a worker's process of its own, its events as signals, its stop and its end."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from PyQt5.QtCore import QObject, QThread, QTimer, pyqtSignal

from core.cancel import CancelToken, StopMode
from core.errors import ISICGUIError
from core.events import INTERRUPTED, Event
from core.jobs.client import JobClient, WorkerDiedError, WorkerFaultError
from core.jobs.registry import Request
from core.jobs.stream import JobStopped
from core.message import Message

_log = logging.getLogger(__name__)

GRACE_MS: Final = 20_000
"""Time from a polite stop to the end by force: enough for one denoising step on a slow machine, and for writing."""

KILLED: Final = 137
"""Exit code told for a worker that was ended from outside or crashed; the number is what shells say."""

BEGIN_GRACE_MS: Final = 2000
"""The same for a job that has not told anything yet: it loads its libraries, which nothing can be kept of."""

EVENTS_AT_ONCE: Final = 200
"""Events taken in before the GUI thread gets its turn again."""

MakeClient = Callable[[], JobClient]


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a job ended.

    Attributes
    ----------
    exit_code
        As of the command: 0 done, 130 interrupted with everything finished kept; `KILLED` if it was ended by force.
    cancelled
        Whether it was stopped from here before it was done.
    error
        Why it ended by itself, if it did not end well.
    """

    exit_code: int
    cancelled: bool
    error: ISICGUIError | None = None


class WorkerJob(QObject):
    """Carries out one request, once, in a process of its own.

    The process ends when the job has ended, when the window asks it to, and when the window is gone.

    Parameters
    ----------
    grace_ms
        Time from `stop` to the end by force.
    make_client
        Makes the client; tests prepare the process with jobs of their own.

    Signals
    -------
    told
        Carries one `Event` of the job.
    ended
        The job has ended and everything it told has been delivered; carries a `JobEnd`. Comes once.
    """

    told = pyqtSignal(object)
    ended = pyqtSignal(object)

    def __init__(
        self,
        request: Request,
        parent: QObject | None = None,
        *,
        grace_ms: int = GRACE_MS,
        make_client: MakeClient = JobClient,
    ) -> None:
        super().__init__(parent)
        self.request = request
        self._grace_ms = grace_ms
        self._client = make_client()
        self._cancel = CancelToken()
        self._thread = _JobThread(self._client, request, self._cancel, self)
        self._thread.arrived.connect(self._take_turn)
        self._thread.finished.connect(self._finish)
        self._turn = _single_shot(self, self._take_turn)
        self._grace = _single_shot(self, self._client.kill)
        self._over = self._has_told = False

    @property
    def running(self) -> bool:
        """Whether `start` was called and `ended` has not come."""
        return self._thread.isRunning() or (self._thread.isFinished() and not self._over)

    @property
    def pid(self) -> int:
        """The process id; 0 when there is no process."""
        return self._client.pid or 0

    def start(self) -> None:
        """Begin; what comes of it is told by signals."""
        self._thread.start()

    def pause(self) -> None:
        """Hold the job where it is; only some can be held."""
        self._cancel.pause()

    def go_on(self) -> None:
        """End the pause."""
        self._cancel.go_on()

    def stop(self, grace_ms: int | None = None, mode: StopMode = StopMode.NOW) -> None:
        """Ask the job to keep what is finished and end; one that does not is ended by force after a while.

        Parameters
        ----------
        grace_ms
            That while; the job's own if None. A second call can only shorten it.
        """
        if not self.running:
            return
        wait = self._grace_ms if grace_ms is None else grace_ms
        wait = wait if self._has_told else min(wait, BEGIN_GRACE_MS)
        if not self._grace.isActive() or wait < self._grace.remainingTime():
            self._grace.start(wait)
        self._cancel.request(mode)

    def leave(self, grace_ms: int) -> None:
        """Stop, and do not return before the process has ended: for a window that is gone already.

        Parameters
        ----------
        grace_ms
            After that the process is ended by force.
        """
        self._cancel.request(StopMode.NOW)
        if self._thread.isRunning() and not self._thread.wait(grace_ms):
            self._client.kill()
            self._thread.wait(grace_ms)
        self._client.close()

    def _take_turn(self) -> None:
        """Deliver some events, and the rest when everything else in the window has had its turn."""
        for event in self._thread.take(EVENTS_AT_ONCE):
            self._has_told = True
            self.told.emit(event)
        if self._thread.has_more:
            self._turn.start(0)
        elif self._thread.isFinished():
            self._finish()

    def _finish(self) -> None:
        if self._over or self._thread.has_more:
            return
        self._over = True
        self._grace.stop()
        self._client.close()
        self.ended.emit(self._end())

    def _end(self) -> JobEnd:
        error, stopping = self._thread.error, self._cancel.mode is not None
        if error is None:
            code = self._thread.exit_code
            return JobEnd(code, stopping and code != 0)
        if isinstance(error, JobStopped):
            return JobEnd(INTERRUPTED, True)
        if isinstance(error, WorkerDiedError):
            return JobEnd(KILLED, stopping, None if stopping else error)
        if isinstance(error, ISICGUIError):
            return JobEnd(error.exit_code, stopping, error)
        return JobEnd(1, stopping, _unexpected(error))


class _JobThread(QThread):
    """Follows the job; events wait here until the GUI thread takes them."""

    arrived = pyqtSignal()

    def __init__(self, client: JobClient, request: Request, cancel: CancelToken, parent: QObject) -> None:
        super().__init__(parent)
        self._client, self._request, self._cancel = client, request, cancel
        self._inbox: deque[Event] = deque()
        self.error: BaseException | None = None
        self.exit_code = 0

    @property
    def has_more(self) -> bool:
        """Whether there is something to `take`."""
        return bool(self._inbox)

    def take(self, most: int) -> list[Event]:
        """Return and forget up to `most` events, in order."""
        return [self._inbox.popleft() for _ in range(min(most, len(self._inbox)))]

    def run(self) -> None:
        """Work through the events; called by Qt in the new thread."""
        try:
            for event in self._client.run(self._request, self._cancel):
                self.exit_code = max(self.exit_code, event.exit_code)
                self._inbox.append(event)
                if len(self._inbox) == 1:  # asked after appending: asked before, a take in between loses the wake-up
                    self.arrived.emit()
        except BaseException as error:  # noqa: BLE001 - the boundary of the thread: the error is told in `ended`
            self.error = error


def _single_shot(parent: QObject, slot: Callable[[], Any]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.timeout.connect(slot)
    return timer


def _unexpected(error: BaseException) -> ISICGUIError:
    details = error.details if isinstance(error, WorkerFaultError) else ""
    _log.error("A job failed: %s\n%s", error, details)
    return ISICGUIError(
        Message("Unexpected error: {error}", error=error),
        remedy=Message("The log says where. Please report it."),
    )
