"""A process that carries out jobs and calls for another one, over a pipe, one thread each. It never imports Qt.

Messages in: ``("run", n, (paused, StopMode | None), request)``, ``("call", n, (paused, StopMode | None),
"module:function", arguments)``, ``("stop", n, StopMode)``, ``("pause", n, bool)``, ``("threads", count)``,
``("close",)``. Messages out: ``("item", n, value)`` for every event of
a job and every value of a call that yields, then ``("return", n, value)`` or ``("error", n, FarError)``; and
``("log", 0, record)`` for what was logged.

When the other end of the pipe is gone, however that process ended, the jobs are stopped and waited for, and then the
worker ends: what is finished is kept, and nothing computes for nobody.

Where the process was when it crashed, the fault handler tells to a file that outlives it.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any, Final

from core import ROOMS
from core.cancel import CancelToken, StopMode
from core.errors import ISICGUIError
from core.jobs.registry import Request, resolve, run
from core.jobs.stream import JobStopped
from core.utils.path_manager import PathManager


def catch_faults(pid: int) -> IO[str] | None:
    """Let a crash of this process write where it was; the file must be kept open. None if it cannot be written."""
    path = _path(pid)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w", encoding="utf-8")
    except OSError:
        return None
    faulthandler.enable(file)
    return file


def take_faults(pid: int) -> str:
    """Return what a process has left behind, empty if it did not crash; it is told only once."""
    path = _path(pid)
    text = ""
    with suppress(OSError):
        text = path.read_text(encoding="utf-8", errors="replace").strip()
        path.unlink()
    return text


def _path(pid: int) -> Path:
    return PathManager().log_dir / f"engine-{pid}.faults"


STOPPED: Final = "stopped"
"""`FarError.kind` of a job that was stopped."""

GRACE: Final = 20.0
"""Seconds that jobs get to keep what they have finished, once nobody is at the other end."""


@dataclass(frozen=True, slots=True)
class FarError:
    """An exception, in a form that survives the pipe whatever its constructor looks like."""

    kind: str
    message: str
    remedy: str = ""
    path: Path | None = None
    details: str = ""
    exit_code: int = 1

    @classmethod
    def of(cls, error: BaseException) -> FarError:
        """Describe `error`; details are kept only of one nobody expected."""
        if isinstance(error, JobStopped):
            return cls(STOPPED, "")
        if isinstance(error, ISICGUIError):
            return cls(error.kind, error.message, error.remedy, error.path, exit_code=error.exit_code)
        text = f"{type(error).__name__}: {error}"
        return cls("unexpected", text, details="".join(traceback.format_exception(error)))


class Worker:
    """Answers the messages of one pipe until it is closed.

    Parameters
    ----------
    pipe
        The connection to the process that asks.
    """

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._sending = threading.Lock()
        self._tokens: dict[int, CancelToken] = {}
        self._jobs: dict[int, threading.Thread] = {}
        self._threads = 0

    def serve(self) -> None:
        """Answer until the other side says goodbye or is gone; jobs still running are stopped and waited for."""
        try:
            while (message := self._pipe.recv())[0] != "close":
                self._answer(*message)
        except (EOFError, OSError):
            pass  # the process that asked has ended without a goodbye
        self._stop_all()
        for thread in list(self._jobs.values()):
            thread.join(GRACE)

    def send(self, *message: Any) -> None:
        """Send a message; if nobody is there any more, everything is stopped."""
        try:
            with self._sending:
                self._pipe.send(message)
        except OSError:
            self._stop_all()

    def _answer(self, what: str, *rest: Any) -> None:
        if what == "threads":
            self._threads = rest[0]
        elif what in ("stop", "pause"):
            self._steer(what, *rest)
        else:
            self._begin(*rest)

    def _begin(
        self, number: int, state: tuple[bool, StopMode | None], asked: Request | str, arguments: tuple[Any, ...] = ()
    ) -> None:
        token = self._tokens[number] = CancelToken()
        paused, mode = state
        if paused:
            token.pause()
        if mode is not None:
            token.request(mode)
        thread = threading.Thread(target=self._work, args=(number, asked, arguments, token), name=f"job-{number}")
        self._jobs[number] = thread
        thread.start()

    def _steer(self, what: str, number: int, value: Any) -> None:
        """Pass a stop or a pause on to a job; one that has ended has no token."""
        token = self._tokens.get(number)
        if token is None:
            return
        if what == "stop":
            token.request(value)
        elif value:
            token.pause()
        else:
            token.go_on()

    def _work(self, number: int, asked: Request | str, arguments: tuple[Any, ...], token: CancelToken) -> None:
        try:
            self.send("return", number, self._carry_out(number, asked, arguments, token))
        except BaseException as error:  # noqa: BLE001 - the boundary of the process: the error crosses the pipe
            self.send("error", number, FarError.of(error))
        finally:
            self._tokens.pop(number, None)
            self._jobs.pop(number, None)

    def _carry_out(self, number: int, asked: Request | str, arguments: tuple[Any, ...], token: CancelToken) -> Any:
        if isinstance(asked, Request):
            result: Any = run(asked, token)
        else:
            function = resolve(asked)
            self._apply_threads()
            result = function(*(token if argument is CANCEL else argument for argument in arguments))
        if not isinstance(result, Iterator):
            return result
        for item in result:
            self.send("item", number, item)
        return None

    def _apply_threads(self) -> None:
        """Tell torch in the thread of this job, which is whom it asks for the number."""
        torch = sys.modules.get("torch")
        if torch is not None and self._threads and torch.get_num_threads() != self._threads:
            torch.set_num_threads(self._threads)

    def _stop_all(self) -> None:
        for token in list(self._tokens.values()):
            token.request(StopMode.NOW)


class _Cancel:
    """Stands, among the arguments of a call, for the token of that call."""

    def __reduce__(self) -> str:
        return "CANCEL"


CANCEL: Final = _Cancel()


class _PipeLog(QueueHandler):
    """Sends log records to the other side; preparing makes them fit to be pickled."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(None)  # type: ignore[arg-type]  # enqueue is overridden: there is no queue
        self._worker = worker

    def enqueue(self, record: logging.LogRecord) -> None:
        """Send one record."""
        self._worker.send("log", 0, record)


def serve(pipe: Connection, level: int, prepare: Callable[[], None] | None = None) -> None:
    """Answer one pipe; what a worker's process is started with."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches both; the other side decides
    faults = catch_faults(os.getpid())
    worker = Worker(pipe)
    logging.getLogger().addHandler(_PipeLog(worker))
    for room in ROOMS:
        logging.getLogger(room).setLevel(level)
    if prepare is not None:
        prepare()
    worker.serve()
    if faults:
        faulthandler.disable()
        faults.close()
        take_faults(os.getpid())
    os._exit(0)  # nothing is left to save, and taking torch down in good order takes seconds
