"""Events out of code that cannot yield them: loops inside libraries, functions that others call back.

Such code is handed a `JobContext`. It reports by `tell` and `progress`, and looks by `check` whether it should stop or
wait. `stream` runs it on a thread of its own and yields what it reports, so that every job looks the same from outside.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Generator, Iterator
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

from core.cancel import CancelToken, StopMode
from core.events import Continued, Event, Paused, Progress

SECONDS_BETWEEN: Final = 0.1
"""Progress is told at most this often, and always at the beginning of a part."""

LOOK: Final = 0.2
"""Seconds after which the waiting thread looks up, so that Ctrl-C gets its turn on every system."""


T = TypeVar("T")


class JobStopped(Exception):  # noqa: N818 - it is no error: somebody asked for it
    """The job was asked to stop before it was done; what had been finished is kept."""


class JobContext:
    """What a piece of work is given to report with: where it is, what it found, whether it should go on.

    Parameters
    ----------
    cancel
        Asks the work to stop or to pause; None for work that nobody stops.
    tell
        Gets the events; None where nobody listens.
    """

    def __init__(self, cancel: CancelToken | None = None, tell: Callable[[Event], None] | None = None) -> None:
        self.cancel = cancel or CancelToken()
        self._tell = tell
        self._begin, self._share, self._words = 0.0, 1.0, ""
        self._told = [0.0]

    def tell(self, event: Event) -> None:
        """Report an event."""
        if self._tell is not None:
            self._tell(event)

    def check(self) -> None:
        """Wait while a pause lasts.

        Raises
        ------
        JobStopped
            If the job was asked to stop.
        """
        if self.cancel.is_paused:
            self.tell(Paused())
            self.tell(Continued(self.cancel.wait_while_paused()))
        if self.cancel.mode is not None:
            raise JobStopped

    def progress(self, done: int, total: int, words: str = "", unit: str = "") -> None:
        """Report how far this part is, and `check`."""
        self.check()
        now = time.monotonic()
        if now - self._told[0] < SECONDS_BETWEEN and done:
            return
        self._told[0] = now
        fraction = self._begin + self._share * min(done / max(total, 1), 1.0)
        self.tell(Progress(done, total, unit, words or self._words, round(fraction, 4)))

    def part(self, begin: float, share: float, words: str = "") -> JobContext:
        """Return a context for a part of this one, whose progress counts from `begin` for `share` of it (0..1)."""
        inner = JobContext(self.cancel, self._tell)
        inner._begin, inner._share = self._begin + self._share * begin, self._share * share
        inner._words, inner._told = words or self._words, self._told
        return inner

    def steps(self, total: int, words: str = "", unit: str = "") -> Iterator[int]:
        """Count from 0 to `total`, reporting before each."""
        for done in range(total):
            self.progress(done, total, words, unit)
            yield done


def stream(work: Callable[[JobContext], T], cancel: CancelToken) -> Generator[Event, None, T]:
    """Run `work` on a thread of its own, yield what it reports, and return what it returns.

    Whoever closes the iterator early stops the work and waits for it.

    Raises
    ------
    Exception
        Whatever `work` raises, `JobStopped` included.
    """
    told: SimpleQueue[tuple[str, Any]] = SimpleQueue()
    context = JobContext(cancel, lambda event: told.put(("event", event)))
    thread = threading.Thread(target=_carry_out, args=(work, context, told), name="job", daemon=True)
    surroundings = contextvars.copy_context()
    thread.run = lambda: surroundings.run(threading.Thread.run, thread)  # type: ignore[method-assign]  # 3.10 has no context argument
    thread.start()
    ended = False
    try:
        while True:
            kind, value = _next(told)
            if kind == "event":
                yield value
                continue
            ended = True
            if kind == "error":
                raise value
            result: T = value
            return result
    finally:
        if not ended:
            cancel.request(StopMode.NOW)
        thread.join()


def _carry_out(work: Callable[[JobContext], object], context: JobContext, told: SimpleQueue[tuple[str, Any]]) -> None:
    try:
        told.put(("end", work(context)))
    except BaseException as error:  # noqa: BLE001 - the boundary of the thread: the error is raised in the other one
        told.put(("error", error))


def _next(told: SimpleQueue[tuple[str, Any]]) -> tuple[str, Any]:
    while True:
        try:
            return told.get(timeout=LOOK)
        except Empty:
            continue
