"""The engine in a process of its own, so that importing torch, computing and even crashing never touch the window.

Why a process: importing torch holds the interpreter's lock for stretches of up to half a second, in which a window
that shares it stands still; see
docs/adr/0003-the-window-keeps-its-engine-in-a-process.md.
"""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import threading
from collections.abc import Callable, Generator, Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from core.cancel import CancelToken, StopMode
from core.errors import ISICGUIError
from core.events import Event
from core.generator.cost import Foresight
from core.generator.request import GenerationRequest, RunChanges
from core.jobs.faults import take_faults
from core.message import Message
from gui.workers import host
from gui.workers.engine import (
    DeviceMemory,
    Engine,
    EngineDiedError,
    EngineFaultError,
    EngineInfo,
    MadeAgain,
)
from gui.workers.host import FarError
from xai.explanation import ExplainOptions, Explanation, Style

_log = logging.getLogger(__name__)

STOP_LATENCY = 0.03
"""Seconds between two looks at the cancel token while waiting for the engine."""

GOODBYE = 2.0
"""Seconds a process gets to end by itself when the window closes."""


class ProcessEngine:
    """Implements `Engine` by asking a process, which is started by the first call and again after a crash.

    Parameters
    ----------
    make_engine
        Makes the engine inside that process; must be importable by name.
    """

    def __init__(self, make_engine: Callable[[], Engine]) -> None:
        self._make_engine = make_engine
        self._guard = threading.Lock()
        self._line: _Line | None = None
        self._closed = False
        self._threads = 0

    @property
    def pid(self) -> int | None:
        """The process id, while there is a process."""
        line = self._line
        return line.process.pid if line and line.alive else None

    def warm_up(self) -> EngineInfo:
        """Start the process and load the libraries in it."""
        info: EngineInfo = self._call("warm_up")
        return info

    def use_threads(self, count: int) -> None:
        """Tell the process, and every one that takes its place, how many threads to compute with."""
        with self._guard:
            self._threads = count
            if self._line and self._line.alive:
                self._line.send("threads", count)

    def memory(self) -> tuple[DeviceMemory, ...]:
        """Look up the memory of every device."""
        devices: tuple[DeviceMemory, ...] = self._call("memory")
        return devices

    def foresee(self, request: GenerationRequest) -> Foresight:
        """Say what a request will come to."""
        foresight: Foresight = self._call("foresee", request)
        return foresight

    def time_step(self, request: GenerationRequest) -> float:
        """Try out how long one step of one image takes."""
        seconds: float = self._call("time_step", request)
        return seconds

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[Event]:
        """Carry out a request."""
        yield from self._stream("generate", (request,), cancel)

    def resume(self, output: Path, changes: RunChanges, cancel: CancelToken) -> Iterator[Event]:
        """Finish the interrupted runs of a folder."""
        yield from self._stream("resume", (output, changes), cancel)

    def explain(
        self, image: Path, options: ExplainOptions, label: str | None, cancel: CancelToken
    ) -> Iterator[Explanation]:
        """Explain one image, method after method."""
        yield from self._stream("explain", (image, options, label), cancel)

    def explain_to_disk(self, image: Path, options: ExplainOptions) -> Path:
        """Explain one image and keep the overlay."""
        saved: Path = self._call("explain_to_disk", image, options)
        return saved

    def compare(self, explanations: tuple[Explanation, ...]) -> list[dict[str, Any]]:
        """Say how far the maps of one picture agree."""
        table: list[dict[str, Any]] = self._call("compare", explanations)
        return table

    def keep(self, explanations: tuple[Explanation, ...], image: Path, folder: Path | None, style: Style) -> Path:
        """Write explanations to a folder."""
        page: Path = self._call("keep", explanations, image, folder, style)
        return page

    def make_again(self, image: Path, models: Path | None) -> MadeAgain:
        """Make an image again from the recipe inside it."""
        made: MadeAgain = self._call("make_again", image, models)
        return made

    def close(self) -> None:
        """Say goodbye to the process; one that does not leave within a few seconds is ended."""
        with self._guard:
            self._closed = True
            line = self._line
        if line:
            line.close()

    def _call(self, method: str, *arguments: Any, cancel: CancelToken | None = None) -> Any:
        stream = self._stream(method, arguments, cancel)
        try:
            while True:
                next(stream)
        except StopIteration as end:
            return end.value

    def _stream(self, method: str, arguments: tuple[Any, ...], cancel: CancelToken | None) -> Generator[Any, None, Any]:
        line = self._connected()
        job, answers = line.ask(method, arguments)
        relay = _Relay(cancel, line, job) if cancel else None
        while True:
            if relay:
                relay.tell_changes()
            try:
                kind, value = answers.get(timeout=STOP_LATENCY)
            except Empty:
                continue
            if kind == "return":
                return value
            if kind == "error":
                raise _near(value)
            yield value

    def _connected(self) -> _Line:
        with self._guard:
            if self._closed:
                raise EngineDiedError(
                    Message("The engine has been closed."), remedy=Message("Start the program again.")
                )
            if self._line is None or not self._line.alive:
                self._line = _Line(self._make_engine)
                self._line.send("threads", self._threads)
            return self._line


class _Relay:
    """Sends what is new about a cancel token to the token of the job on the other side."""

    def __init__(self, cancel: CancelToken, line: _Line, job: int) -> None:
        self._cancel, self._line, self._job = cancel, line, job
        self._mode: StopMode | None = None
        self._paused = False

    def tell_changes(self) -> None:
        """Look at the token; the stop goes last, since it ends a pause."""
        if self._cancel.is_paused is not self._paused:
            self._paused = not self._paused
            self._line.send("pause", self._job, self._paused)
        if self._cancel.mode is not self._mode:
            self._mode = self._cancel.mode
            self._line.send("stop", self._job, self._mode)


class _Line:
    """One process, the pipe to it, and the thread that sorts what comes out of the pipe by job."""

    def __init__(self, make_engine: Callable[[], Engine]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, far_end = context.Pipe()
        level = logging.getLogger("core").getEffectiveLevel()
        self.process: SpawnProcess = context.Process(
            target=host.run, args=(far_end, make_engine, level), name="isicgui-engine", daemon=True
        )
        self.process.start()
        far_end.close()
        self.alive = True
        self._numbers = itertools.count(1)
        self._sending = threading.Lock()
        self._answers: dict[int, SimpleQueue[tuple[str, Any]]] = {}
        self._reader = threading.Thread(target=self._read, args=(self._pipe,), name="engine-reader", daemon=True)
        self._reader.start()

    def ask(self, method: str, arguments: tuple[Any, ...]) -> tuple[int, SimpleQueue[tuple[str, Any]]]:
        """Start a job; return its number and where its answers arrive."""
        job = next(self._numbers)
        answers = self._answers[job] = SimpleQueue()
        self.send("call", job, method, arguments)
        return job, answers

    def send(self, *message: Any) -> None:
        """Send a message; the reader notices if nobody is there."""
        try:
            with self._sending:
                self._pipe.send(message)
        except OSError:
            self._hang_up()

    def close(self) -> None:
        """End the process, gently first."""
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
                kind, job, value = pipe.recv()
                self._sort(kind, job, value)
        except (EOFError, OSError):
            self.process.join(GOODBYE)
            if self.process.pid and (fault := take_faults(self.process.pid)):
                _log.error("The engine's process crashed:\n%s", fault)
            self._hang_up()

    def _sort(self, kind: str, job: int, value: Any) -> None:
        if kind == "log":
            logging.getLogger(value.name).handle(value)
            return
        queue = self._answers.get(job) if kind == "item" else self._answers.pop(job, None)
        if queue:
            queue.put((kind, value))

    def _hang_up(self) -> None:
        self.alive = False
        error = FarError(EngineDiedError.kind, *_last_words(self.process.exitcode))
        while self._answers:
            _, queue = self._answers.popitem()
            queue.put(("error", error))


def _last_words(exit_code: int | None) -> tuple[str, str]:
    if exit_code == -9:
        return (
            Message(
                "The process that computes was ended by the system, probably for want of memory. "
                "Every finished image is kept."
            ),
            Message(
                "Close other programs or choose a smaller batch, then start again. An interrupted run can be resumed."
            ),
        )
    return (
        Message("The process that computes ended (code {code}). Every finished image is kept.", code=exit_code),
        Message("Start again. An interrupted run can be resumed."),
    )


def _near(error: FarError) -> Exception:
    """Return the exception that a far error stands for."""
    if error.details:
        return EngineFaultError(error.message, error.details)
    near = EngineDiedError if error.kind == EngineDiedError.kind else ISICGUIError
    made = near(error.message, remedy=error.remedy, path=error.path)
    made.kind = error.kind  # type: ignore[misc]  # per instance here: the class did not cross the pipe
    return made
