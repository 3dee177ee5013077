"""A job for tests: it counts, and does what its request says when it comes to a number."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from core.cancel import CancelToken, StopMode
from core.errors import InputRefusedError
from core.events import Continued, Event, Notice, Paused
from core.jobs.options import option
from core.jobs.registry import Request, job
from core.jobs.stream import JobContext, stream
from core.message import Message


def _read_pair(text: str) -> tuple[int, int]:
    first, _, second = text.partition("/")
    return int(first), int(second)


@job("tests.core.jobs.counting:count", pauses=True)
@dataclass(frozen=True, slots=True)
class CountRequest(Request):
    """What is counted to, and what happens on the way."""

    command: ClassVar[tuple[str, ...]] = ("count",)
    inputs: tuple[Path, ...] = option("", "What is counted.", kind="path", many=True, default=())
    to: int = option("--to", "The last number.", kind="whole", low=1, high=1000, default=3)
    output: Path | None = option("--output", "Folder that is written to.", kind="folder", default=None)
    part: tuple[int, int] = option(
        "--part", "Which part.", read=_read_pair, write=lambda pair: "{}/{}".format(*pair), default=(1, 1)
    )
    colour: bool = option("--no-colour", "Leave the colour out.", kind="switch", opposite=True, default=True)
    loud: bool = option("--loud", "Say it loudly.", kind="switch", default=False)
    tags: tuple[str, ...] = option("--tag", "May be repeated.", many=True, default=())
    mode: str = option("--mode", "How.", kind="choice", choices=("up", "down"), default="up", always=True)
    does: str = ""
    at: int = 2


def count(request: CountRequest, cancel: CancelToken) -> Iterator[Event]:
    """Count, one notice a number; a file a number if there is an output folder."""
    for number in range(1, request.to + 1):
        if cancel.is_paused:
            yield Paused()
            yield Continued(cancel.wait_while_paused())
        if cancel.mode is not None:
            yield Notice("end", cancel.mode.value)
            return
        if number == request.at:
            _DOES[request.does]()
        if request.output is not None:
            (request.output / f"{number}.txt").write_text(str(number))
        yield Notice("number", str(number))
        if request.does == "slowly":
            time.sleep(0.005)
        if request.does == "deaf":
            time.sleep(3600)
    yield Notice("end", "completed")


def _crash() -> None:
    ctypes.string_at(0)


def _refuse() -> None:
    raise InputRefusedError(Message("There is no number {n}.", n=7), remedy=Message("Count."), path=Path("x"))


def _fail() -> None:
    raise ZeroDivisionError("of course")


def _log() -> None:
    logging.getLogger("core.counting").warning("two")


_DOES = {
    "": lambda: None,
    "slowly": lambda: None,
    "deaf": lambda: None,
    "crash": _crash,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "refuse": _refuse,
    "fail": _fail,
    "load": lambda: time.sleep(3600),
    "log": _log,
}


@job("tests.core.jobs.counting:reported")
@dataclass(frozen=True, slots=True)
class ReportedRequest(Request):
    """The same by a context."""

    command: ClassVar[tuple[str, ...]] = ("reported",)
    to: int = 3


def reported(request: ReportedRequest, cancel: CancelToken) -> Iterator[Event]:
    """Count inside a function that cannot yield."""

    def work(context: JobContext) -> None:
        for number in context.steps(request.to, "counting", "numbers"):
            context.tell(Notice("number", str(number)))

    return stream(work, cancel)


def pid() -> int:
    return os.getpid()


def add(first: int, second: int) -> int:
    return first + second


def until_stopped(token: CancelToken) -> Iterator[str]:
    yield "begun"
    while token.mode is None:
        time.sleep(0.005)
    yield token.mode.value if isinstance(token.mode, StopMode) else ""
