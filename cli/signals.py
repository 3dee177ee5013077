"""Ctrl-C asks for a stop: the command stops where nothing finished is lost, and ends with its own exit code."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from core.cancel import CancelToken, StopMode

EXIT_INTERRUPTED = 130


@contextmanager
def stop_on_signal() -> Iterator[CancelToken]:
    """Turn the first Ctrl-C (or SIGTERM) into a cooperative stop; a second one interrupts at once.

    The first is the first that arrives here: of several processes that train together, one may have passed its stop on
    before the others get theirs.
    """
    cancel = CancelToken()
    arrived = itertools.count()

    def stop(signum: int, frame: FrameType | None) -> None:
        if next(arrived):
            raise KeyboardInterrupt
        cancel.request(StopMode.NOW)

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
