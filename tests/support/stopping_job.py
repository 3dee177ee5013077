"""A job's context that stops the work at a place of the test's choosing, whatever the speed of the machine."""

from __future__ import annotations

from collections.abc import Callable

from core.cancel import StopMode
from core.events import Event
from core.jobs.stream import JobContext


class StoppingJob(JobContext):
    """Stops the work when a condition holds; it is asked at every look that the work takes.

    Parameters
    ----------
    stop_when
        The condition.
    tell
        Gets the events.
    """

    def __init__(self, stop_when: Callable[[], bool], tell: Callable[[Event], None] | None = None) -> None:
        super().__init__(tell=tell)
        self._stop_when = stop_when

    def check(self) -> None:
        """Ask for the stop if it is time."""
        if self._stop_when():
            self.cancel.request(StopMode.NOW)
        super().check()

    def part(self, begin: float, share: float, words: str = "") -> JobContext:
        """Return a part that asks the same."""
        inner = StoppingJob(self._stop_when, self._tell)
        inner.cancel, inner._told = self.cancel, self._told
        inner._begin, inner._share = self._begin + self._share * begin, self._share * share
        inner._words = words or self._words
        return inner
