"""The one transport to a worker's process: requests and calls go in, events and results come out.

The process is started by the first request and again after a crash. Several threads may use one client at once; each
job has a thread of its own on the other side. Jobs that compute side by side and for long get a client each.
"""

from __future__ import annotations

import atexit
import itertools
import logging
import multiprocessing
import threading
from collections.abc import Callable, Generator, Iterator
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Any, Final

from core.cancel import CancelToken, StopMode
from core.errors import ISICGUIError
from core.events import Event
from core.jobs import worker
from core.jobs.registry import Request
from core.jobs.stream import JobStopped
from core.jobs.worker import STOPPED, FarError, take_faults
from core.message import Message

_log = logging.getLogger(__name__)

STOP_LATENCY: Final = 0.03
"""Seconds between two looks at the cancel token while waiting for the worker."""

GOODBYE: Final = 2.0
"""Seconds a process gets to end by itself."""


class WorkerFaultError(Exception):
    """An unexpected error, which happened in the worker.

    Attributes
    ----------
    details
        The traceback, as text.
    """

    def __init__(self, message: str, details: str) -> None:
        super().__init__(message)
        self.details = details


class WorkerDiedError(ISICGUIError):
    """The worker's process ended in the middle of a job."""

    kind = "engine_died"


class JobClient:
    """Carries out requests and calls in a process of its own.

    Parameters
    ----------
    name
        Of the process, for whoever looks at the list of processes.
    prepare
        Called in the new process before anything else; importable by name.
    """

    def __init__(self, name: str = "isicgui-worker", prepare: Callable[[], None] | None = None) -> None:
        self._name, self._prepare = name, prepare
        self._guard = threading.Lock()
        self._line: _Line | None = None
        self._closed = False
        self._threads = 0

    @property
    def pid(self) -> int | None:
        """The process id, while there is a process."""
        line = self._line
        return line.process.pid if line and line.alive else None

    def use_threads(self, count: int) -> None:
        """Tell the process, and every one that takes its place, how many threads to compute with."""
        with self._guard:
            self._threads = count
            if self._line and self._line.alive:
                self._line.send("threads", count)

    def run(self, request: Request, cancel: CancelToken | None = None) -> Iterator[Event]:
        """Carry out a request and yield its events; see `core.jobs.registry.run`.

        Raises
        ------
        JobStopped
            If it was stopped before it was done and its events do not say so themselves.
        ISICGUIError
            As the job raises it; the class is not kept, its kind, words and exit code are.
        WorkerDiedError, WorkerFaultError
            If the process ended, or an error happened there that nobody expected.
        """
        yield from self._stream("run", (request,), cancel)

    def stream(
        self,
        function: str,
        *arguments: Any,
        cancel: CancelToken | None = None,
        can_be_left: Callable[[], bool] = lambda: False,
    ) -> Iterator[Any]:
        """Call ``module:function`` over there and yield what it yields; `worker.CANCEL` stands for its token.

        Parameters
        ----------
        can_be_left
            Whether a stop need not wait for the other side, which has only to be told: it has not begun.

        Raises
        ------
        JobStopped
            If it was left.
        """
        yield from self._stream("call", (function, arguments), cancel, can_be_left)

    def call(self, function: str, *arguments: Any, cancel: CancelToken | None = None) -> Any:
        """Call ``module:function`` over there and return what it returns."""
        stream = self._stream("call", (function, arguments), cancel)
        try:
            while True:
                next(stream)
        except StopIteration as end:
            return end.value

    def kill(self) -> None:
        """End the process at once, whatever it does; what it had finished is kept."""
        with self._guard:
            line = self._line
        if line:
            line.process.kill()
            line.close()

    def close(self) -> None:
        """Say goodbye to the process; one that does not leave within a few seconds is ended."""
        with self._guard:
            self._closed = True
            line = self._line
        if line:
            line.close()

    def _stream(
        self,
        what: str,
        asked: tuple[Any, ...],
        cancel: CancelToken | None,
        can_be_left: Callable[[], bool] = lambda: False,
    ) -> Generator[Any, None, Any]:
        line = self._connected()
        cancel = cancel or CancelToken()
        relay = _Relay(cancel)
        number, answers = line.ask(what, relay.told, asked)
        ended = False
        try:
            while True:
                relay.tell_changes(line, number)
                try:
                    kind, value = answers.get(timeout=STOP_LATENCY)
                except Empty:
                    if cancel.mode is not None and can_be_left():
                        raise JobStopped from None
                    continue
                if kind == "item":
                    yield value
                    continue
                ended = True
                if kind == "error":
                    raise _near(value)
                return value
        finally:
            if not ended:  # whoever followed it has lost interest
                line.send("stop", number, StopMode.NOW)

    def _connected(self) -> _Line:
        with self._guard:
            if self._closed:
                raise WorkerDiedError(
                    Message("The engine has been closed."), remedy=Message("Start the program again.")
                )
            if self._line is None or not self._line.alive:
                self._line = _Line(self._name, self._prepare)
                self._line.send("threads", self._threads)
            return self._line


class _Relay:
    """Sends what is new about a cancel token to the token of the job on the other side."""

    def __init__(self, cancel: CancelToken) -> None:
        self._cancel = cancel
        self._paused, self._mode = cancel.is_paused, cancel.mode

    @property
    def told(self) -> tuple[bool, StopMode | None]:
        """What the other side knows: whether to wait, and how to stop."""
        return self._paused, self._mode

    def tell_changes(self, line: _Line, number: int) -> None:
        """Look at the token; the stop goes last, since it ends a pause."""
        if self._cancel.is_paused is not self._paused:
            self._paused = not self._paused
            line.send("pause", number, self._paused)
        if self._cancel.mode is not self._mode:
            self._mode = self._cancel.mode
            line.send("stop", number, self._mode)


class _Line:
    """One process, the pipe to it, and the thread that sorts what comes out of the pipe by job."""

    def __init__(self, name: str, prepare: Callable[[], None] | None) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, far_end = context.Pipe()
        level = logging.getLogger("core").getEffectiveLevel()
        # Not a daemon, since training starts processes of its own; the end of the program ends it all the same.
        atexit.register(self.close)
        self.process = context.Process(target=worker.serve, args=(far_end, level, prepare), name=name)
        self.process.start()
        far_end.close()
        self.alive = True
        self._numbers = itertools.count(1)
        self._sending = threading.Lock()
        self._answers: dict[int, SimpleQueue[tuple[str, Any]]] = {}
        self._reader = threading.Thread(target=self._read, args=(self._pipe,), name="worker-reader", daemon=True)
        self._reader.start()

    def ask(
        self, what: str, token: tuple[bool, StopMode | None], asked: tuple[Any, ...]
    ) -> tuple[int, SimpleQueue[tuple[str, Any]]]:
        """Begin a job whose token stands so; return its number and where its answers arrive."""
        number = next(self._numbers)
        answers = self._answers[number] = SimpleQueue()
        self.send(what, number, token, *asked)
        return number, answers

    def send(self, *message: Any) -> None:
        """Send a message; if nobody is there, the jobs are told."""
        try:
            with self._sending:
                self._pipe.send(message)
        except OSError:
            self._hang_up()

    def close(self) -> None:
        """End the process, gently first."""
        atexit.unregister(self.close)
        if self.alive:
            self.send("close")
        self.process.join(GOODBYE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join(GOODBYE)
        self._reader.join(GOODBYE)

    def _read(self, pipe: Connection) -> None:
        try:
            while True:
                self._sort(*pipe.recv())
        except (EOFError, OSError):
            self.process.join(GOODBYE)
            if self.process.pid and (fault := take_faults(self.process.pid)):
                _log.error("The worker's process crashed:\n%s", fault)
            self._hang_up()

    def _sort(self, kind: str, number: int, value: Any) -> None:
        if kind == "log":
            logging.getLogger(value.name).handle(value)
            return
        queue = self._answers.get(number) if kind == "item" else self._answers.pop(number, None)
        if queue:
            queue.put((kind, value))

    def _hang_up(self) -> None:
        self.alive = False
        error = FarError(WorkerDiedError.kind, *_how_it_ended(self.process.exitcode))
        while self._answers:
            _, queue = self._answers.popitem()
            queue.put(("error", error))


def _how_it_ended(exit_code: int | None) -> tuple[str, str]:
    if exit_code == -9:
        return (
            Message(
                "The worker process was ended by the system, probably because memory ran out. Finished work is kept."
            ),
            Message(
                "Close other programs or choose a smaller batch, then start again. An interrupted run can be resumed."
            ),
        )
    return (
        Message("The worker process ended (code {code}). Finished work is kept.", code=exit_code),
        Message("Start again. An interrupted run can be resumed."),
    )


def _near(error: FarError) -> Exception:
    """Return the exception that a far error stands for."""
    if error.kind == STOPPED:
        return JobStopped()
    if error.details:
        return WorkerFaultError(error.message, error.details)
    near = WorkerDiedError if error.kind == WorkerDiedError.kind else ISICGUIError
    made = near(error.message, remedy=error.remedy, path=error.path)
    made.kind, made.exit_code = error.kind, error.exit_code  # type: ignore[misc]  # per instance: the class stayed there
    return made
