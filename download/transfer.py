"""From a source on the network to a complete archive on this drive: attempts, pauses, and a stop at any moment."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

from core.cancel import CancelToken
from core.errors import DownloadError
from core.events import Event
from core.jobs.stream import JobStopped
from core.message import Message
from download.pages import by_hand
from download.partial import Attempt, Interrupted, Partial, Patience, RestartNeeded
from download.records import free_bytes, require_space, writing_to
from download.request import Downloading, Fetching, Restarting, Retrying
from download.source import ORIGINALS, ORIGINALS_BYTES, DriveSource, RemoteSource

INTERVAL: Final = 0.2
"""Seconds between two events: as often as a person can read."""

_WINDOW: Final = 5.0


class Speed:
    """Turns byte counts into events with a rate and a remaining time.

    Parameters
    ----------
    clock
        Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._points: deque[tuple[float, int]] = deque()
        self._shown = float("-inf")

    def event(self, received: int, total: int | None) -> Downloading | None:
        """Return the event for a count, or None if the last one was a moment ago; the last byte is always told."""
        now = self._clock()
        if self._points and received < self._points[-1][1]:
            self._points.clear()
        self._points.append((now, received))
        while len(self._points) > 2 and now - self._points[0][0] > _WINDOW:
            self._points.popleft()
        if received != total and now - self._shown < INTERVAL:
            return None
        self._shown = now
        rate = self._rate()
        remaining = (total - received) / rate if rate and total is not None else None
        return Downloading(received, total, rate, remaining)

    def _rate(self) -> float | None:
        (first, before), (last, now) = self._points[0], self._points[-1]
        return (now - before) / (last - first) if last > first and now > before else None


_GLANCE: Final = 0.1
"""Seconds between two looks at whether to stop."""

_FAREWELL: Final = 3.0
"""Seconds given to a stopped download to put its file down; a server that says nothing may hold it for longer."""


def bring(partial: Partial, cancel: CancelToken, patience: Patience) -> Generator[Event, None, Path]:
    """Yield events until the archive is there, and return where.

    Raises
    ------
    JobStopped
        If `cancel` asks for it; what has arrived is kept.
    DownloadError, OutputError
        If it cannot be had, or cannot be written.
    """
    with writing_to(partial.folder):
        partial.open()
    expected = partial.seen().total or _estimate(partial.source)
    yield Fetching(partial.source.address, partial.folder, partial.received, expected, free_bytes(partial.folder))
    if partial.archive.is_file():
        return partial.archive
    if expected is not None:
        require_space(partial.folder, 2 * expected - partial.received)
    return (yield from _in_background(partial, cancel, patience))


def _estimate(source: RemoteSource) -> int | None:
    return ORIGINALS_BYTES if source.key == ORIGINALS.key else None


def _in_background(partial: Partial, cancel: CancelToken, patience: Patience) -> Generator[Event, None, Path]:
    """Fetch in a thread of its own, so that a stop is not kept waiting by a silent server."""
    said: queue.SimpleQueue[Event | Path | BaseException | None] = queue.SimpleQueue()
    stop = threading.Event()
    attempt = Attempt(partial, patience, _progress(partial, said.put), said.put, stop)
    thread = threading.Thread(target=_run, args=(attempt, said.put), name="download", daemon=True)
    thread.start()
    heard = time.monotonic()
    try:
        while True:
            if cancel.mode is not None:
                raise JobStopped
            try:
                item = said.get(timeout=_GLANCE)
            except queue.Empty:
                _refuse_standstill(partial.source, time.monotonic() - heard, patience)
                continue
            heard = time.monotonic()
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, Path):
                return item
            if item is not None:
                yield item
    finally:
        stop.set()
        thread.join(_FAREWELL)


def _run(attempt: Attempt, say: Callable[[Path | BaseException], None]) -> None:
    try:
        with writing_to(attempt.partial.folder):
            say(_persist(attempt))
    except BaseException as error:  # noqa: BLE001  raised again where the events are read
        say(error)


def _progress(partial: Partial, say: Callable[[Event | None], None]) -> Callable[[int, int | None], None]:
    speed = Speed()
    checked: set[int] = set()

    def progress(received: int, total: int | None) -> None:
        if total is not None and total not in checked:
            checked.add(total)
            require_space(partial.folder, 2 * total - received)
        say(speed.event(received, total))  # None still says that something has come

    return progress


def _refuse_standstill(source: RemoteSource, seconds: float, patience: Patience) -> None:
    if seconds > patience.standstill:
        raise DownloadError(
            Message("No data received for {seconds:.0f} seconds.", seconds=seconds),
            remedy=Message("Start again later; what has arrived is kept. {by_hand}", by_hand=by_hand(source)),
        )


def _persist(attempt: Attempt) -> Path:
    """Try until the file is there, until nothing has come several times in a row, or until told to stop."""
    in_vain = 0
    while True:
        before = attempt.partial.received
        try:
            return _fetch(attempt)
        except RestartNeeded as problem:
            attempt.partial.restart()
            attempt.report(Restarting(problem.args[0]))
            in_vain += 1
            _give_up(attempt, in_vain, problem)
        except Interrupted as problem:
            in_vain = 1 if attempt.partial.received > before else in_vain + 1
            _give_up(attempt, in_vain, problem)
            _pause(attempt, in_vain, problem.args[0])


def _fetch(attempt: Attempt) -> Path:
    source = attempt.partial.source
    if isinstance(source, DriveSource):
        from download.web import fetch_drive

        return fetch_drive(source, attempt)
    from download.web import fetch_web

    return fetch_web(source, attempt)


def _give_up(attempt: Attempt, in_vain: int, problem: Exception) -> None:
    if in_vain <= len(attempt.patience.pauses):
        return
    source = attempt.partial.source
    raise DownloadError(
        Message("The download makes no progress: {reason} ({n} attempts).", reason=problem.args[0], n=in_vain),
        remedy=Message(
            "Check the network and start again: what has arrived is kept, the download continues from there. {by_hand}",
            by_hand=by_hand(source),
        ),
    ) from problem


def _pause(attempt: Attempt, in_vain: int, why: str) -> None:
    pauses = attempt.patience.pauses
    seconds = pauses[in_vain - 1]
    message = Message(
        "The download was interrupted: {reason}. It continues by itself in {seconds:.0f} s.",
        reason=why,
        seconds=seconds,
    )
    attempt.report(Retrying(in_vain, len(pauses), seconds, message))
    if attempt.stop.wait(seconds):
        raise JobStopped
