"""What one measurement found: a verdict in words, numbers for programs, and what a page shows of it.

Every measurement returns one `Section`; the page, the PDF and `results.json` are made of sections alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from core.message import Message

Level = Literal["good", "doubt", "bad", "unknown"]

WORST_FIRST: Final[tuple[Level, ...]] = ("bad", "doubt", "unknown", "good")
"""What decides where several verdicts meet."""


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph in plain text; `kind` is ``""``, ``"muted"`` or ``"warning"``."""

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of plain texts with a head.

    Attributes
    ----------
    muted
        Indices of rows that are shown in grey: numbers that mean nothing, with the reason in the row.
    unfolded
        Whether a page shows it without being clicked.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    muted: frozenset[int] = frozenset()
    unfolded: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG file and what it shows, for those who cannot see it and as its caption."""

    png: bytes
    caption: str


Part = Words | Table | Picture


@dataclass(frozen=True, slots=True)
class Section:
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
        What the page shows, in order.
    data
        Every number for `results.json`: plain JSON values; NaN and infinity become null.
    """

    key: str
    title: str
    level: Level
    verdict: Message
    parts: Sequence[Part] = ()
    data: dict[str, Any] = field(default_factory=dict)


def worst(levels: Sequence[Level]) -> Level:
    """Return the level that decides."""
    return next((level for level in WORST_FIRST if level in levels), "unknown")
