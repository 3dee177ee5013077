"""What one attempt to fetch a file may report, and how it may fail."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from core.events import Event
from core.jobs.stream import JobStopped
from download.partial import Partial
from download.patience import Patience


class Interrupted(Exception):  # noqa: N818  # tried again by whoever called
    """The connection broke, which another attempt may mend; the text says how."""


class RestartNeeded(Exception):  # noqa: N818  # begun anew by whoever called
    """What is there of the file cannot be continued; the text says why."""


@dataclass(frozen=True)
class Attempt:
    """What one attempt works with.

    Attributes
    ----------
    progress
        Called with the bytes that are there and the file's size (None: unknown) whenever some have come.
    report
        Called with any other event.
    stop
        Set when the download must end; looked at after every piece.
    """

    partial: Partial
    patience: Patience
    progress: Callable[[int, int | None], None]
    report: Callable[[Event], None]
    stop: threading.Event

    def check(self) -> None:
        """Raise `JobStopped` if the download was told to stop; what has arrived is kept."""
        if self.stop.is_set():
            raise JobStopped
