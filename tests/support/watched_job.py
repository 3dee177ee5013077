"""A job's context that notes every report. What a listener hears depends on the speed of the machine, this does not."""

from __future__ import annotations

from collections.abc import Callable

from core.cancel import StopMode
from core.jobs.stream import JobContext


class WatchedJob(JobContext):
    """Notes what is reported, and asks for a stop when its condition says so.

    Parameters
    ----------
    stop_when
        Looks at this context before each report.

    Attributes
    ----------
    told
        `done` and `total` of every report, `words` the part it was about.
    """

    def __init__(self, stop_when: Callable[[WatchedJob], bool] = lambda job: False) -> None:
        super().__init__()
        self.stop_when = stop_when
        self.told: list[tuple[int, int]] = []
        self.words: list[str] = []

    def progress(self, done: int, total: int, words: str = "", unit: str = "") -> None:
        """Note a report that is not the one at which the job stops."""
        if self.stop_when(self):
            self.cancel.request(StopMode.NOW)
        super().progress(done, total, words, unit)
        self.told.append((done, total))
        self.words.append(words or self._words)

    def part(self, begin: float, share: float, words: str = "") -> JobContext:
        """Return this one, so that the reports of its parts are noted, too."""
        self._words = words or self._words
        return self
