"""The engine's process: serves an engine over a pipe, one thread a job. Never imports Qt.

Messages in: ``("call", job, method, arguments)``, ``("stop", job, StopMode)``,
``("pause", job, bool)``, ``("threads", count)``, ``("close",)``.
Messages out: ``("item", job, value)`` for each value of a stream, then ``("return", job, value)`` or
``("error", job, FarError)``; and ``("log", 0, record)`` for what was logged.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from core.cancel import CancelToken, StopMode
from core.errors import ISICGUIError
from core.jobs.faults import catch_faults, take_faults
from gui.workers.engine import Engine

CANCELLABLE = ("generate", "resume", "explain")
"""Methods whose last argument is a CancelToken, which stays on this side of the pipe."""

Message = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class FarError:
    """An exception, in a form that survives the pipe whatever its constructor looks like."""

    kind: str
    message: str
    remedy: str = ""
    path: Path | None = None
    details: str = ""

    @classmethod
    def of(cls, error: BaseException) -> FarError:
        """Describe `error`; details are kept only of one nobody expected."""
        if isinstance(error, ISICGUIError):
            return cls(error.kind, error.message, error.remedy, error.path)
        text = f"{type(error).__name__}: {error}"
        return cls("unexpected", text, details="".join(traceback.format_exception(error)))


class Host:
    """Answers the messages of one pipe until it is closed.

    Parameters
    ----------
    pipe
        The connection to the window's process.
    engine
        What does the work.
    """

    def __init__(self, pipe: Connection, engine: Engine) -> None:
        self._pipe = pipe
        self._engine = engine
        self._sending = threading.Lock()
        self._tokens: dict[int, CancelToken] = {}
        self._threads: dict[int, threading.Thread] = {}

    def serve(self) -> None:
        """Answer until the window says goodbye or is gone; jobs still running are stopped and waited for."""
        try:
            while (message := self._pipe.recv())[0] != "close":
                self._answer(message)
        except EOFError:
            pass  # the window's process has ended without a goodbye
        self._stop_all()
        for thread in list(self._threads.values()):
            thread.join()
        self._engine.close()

    def send(self, *message: Any) -> None:
        """Send a message; a window that has gone is no error."""
        try:
            with self._sending:
                self._pipe.send(message)
        except (BrokenPipeError, OSError):
            self._stop_all()

    def _answer(self, message: Message) -> None:
        if message[0] == "threads":
            self._engine.use_threads(message[1])
            return
        if message[0] in ("stop", "pause"):
            self._steer(*message)
            return
        _, job, method, arguments = message
        token = self._tokens[job] = CancelToken()
        work = getattr(self._engine, method)
        arguments = (*arguments, token) if method in CANCELLABLE else arguments
        thread = threading.Thread(target=self._work, args=(job, work, arguments), name=f"{method}-{job}")
        self._threads[job] = thread
        thread.start()

    def _steer(self, what: str, job: int, value: Any) -> None:
        """Pass a wish on to the token of a job; one that has ended has none."""
        token = self._tokens.get(job)
        if token is None:
            return
        if what == "stop":
            token.request(value)
        elif value:
            token.pause()
        else:
            token.go_on()

    def _work(self, job: int, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        try:
            result = work(*arguments)
            if isinstance(result, Iterator):
                for item in result:
                    self.send("item", job, item)
                result = None
            self.send("return", job, result)
        except Exception as error:  # noqa: BLE001 - the boundary of the process: the error crosses the pipe
            self.send("error", job, FarError.of(error))
        finally:
            self._tokens.pop(job, None)
            self._threads.pop(job, None)

    def _stop_all(self) -> None:
        for token in list(self._tokens.values()):
            token.request(StopMode.NOW)


class _PipeLog(QueueHandler):
    """Sends log records to the window; preparing makes them fit to be pickled."""

    def __init__(self, host: Host) -> None:
        super().__init__(None)  # type: ignore[arg-type]  # enqueue is overridden: there is no queue
        self._host = host

    def enqueue(self, record: logging.LogRecord) -> None:
        """Send one record."""
        self._host.send("log", 0, record)


def run(pipe: Connection, make_engine: Callable[[], Engine], level: int) -> None:
    """Serve an engine; what the engine's process is started with."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches both; the window decides
    faults = catch_faults(os.getpid())
    host = Host(pipe, make_engine())
    root = logging.getLogger()
    root.addHandler(_PipeLog(host))
    for room in ("core", "xai"):
        logging.getLogger(room).setLevel(level)
    host.serve()
    if faults:
        faulthandler.disable()
        faults.close()
        take_faults(os.getpid())
    os._exit(0)  # nothing is left to save, and taking torch down in good order takes seconds
