"""What one measurement found: a verdict in words, numbers for programs, and what a report shows of it.

Every measurement returns one `Finding`; the report and `results.json` are made of findings alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from core.message import Message
from reports.model import Block, Level, Section, Verdict

WORST_FIRST: Final[tuple[Level, ...]] = ("bad", "doubt", "unknown", "good")
"""What decides where several verdicts meet."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One measurement of one synthetic set.

    Attributes
    ----------
    key
        Name in `results.json`.
    level
        What it says about using the set.
    verdict
        One or two sentences: the number, its uncertainty, what it means.
    parts
        What the report shows, in order.
    data
        Every number for `results.json`: plain JSON values; NaN and infinity become null.
    """

    key: str
    title: str
    level: Level
    verdict: Message
    parts: Sequence[Block] = ()
    data: dict[str, Any] = field(default_factory=dict)

    def section(self, prefix: str = "") -> Section:
        """Return what a report shows; `prefix` comes before the title."""
        return Section(prefix + self.title, [Verdict(self.level, self.verdict), *self.parts])


def worst(levels: Sequence[Level]) -> Level:
    """Return the level that decides."""
    return next((level for level in WORST_FIRST if level in levels), "unknown")
