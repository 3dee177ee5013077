"""What a report is made of. Every form of a report is made of these blocks, and of nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from reports.inline import Span, Text

Level = Literal["good", "doubt", "bad", "unknown"]
Kind = Literal["", "muted", "warning", "headline"]


class Mark(NamedTuple):
    """How a level is shown: nobody has to tell levels by their colour."""

    sign: str
    word: str
    colour: str


LEVELS: Final[dict[Level, Mark]] = {
    "good": Mark("●", "good", "#1a7f37"),
    "doubt": Mark("▲", "doubt", "#946200"),
    "bad": Mark("■", "bad", "#c0262d"),
    "unknown": Mark("○", "not known", "#57606a"),
}


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    text: Text
    kind: Kind = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section."""

    text: Text


@dataclass(frozen=True, slots=True)
class Verdict:
    """What something amounts to; `label` is a word or two for the level, before the sentence."""

    level: Level
    text: Text
    label: str = ""


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: Sequence[Text]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values."""

    rows: Sequence[tuple[str, object]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a head.

    Attributes
    ----------
    caption
        What it shows; the title that opens it where it is folded.
    muted
        Indices of rows that are shown in grey: numbers that mean nothing, with the reason in the row.
    words
        Indices of the columns that hold words, aligned left; the others hold numbers, aligned right.
    folded
        Whether a page shows it only when its caption is clicked.
    """

    head: Sequence[Text]
    rows: Sequence[Sequence[Text]]
    caption: str = ""
    muted: frozenset[int] = frozenset()
    words: frozenset[int] = frozenset({0})
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture.

    Attributes
    ----------
    image
        A PNG file, or the name by which a window knows a picture.
    caption
        What it shows; for those who cannot see it, and below it if `captioned`.
    """

    image: bytes | str
    caption: str
    captioned: bool = True


@dataclass(frozen=True, slots=True)
class Gallery:
    """Small pictures side by side; `side` is the width of each in pixels."""

    figures: Sequence[Figure]
    side: int


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to be typed or read as they are."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Authored:
    """Markdown that somebody wrote; a card takes it over as it is, other forms show its paragraphs and lists."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Details:
    """Blocks that a page shows when their title is clicked."""

    title: str
    blocks: Sequence[Block]


Block: TypeAlias = (
    Paragraph | Heading | Verdict | Bullets | Facts | Table | Figure | Gallery | Code | Authored | Details
)


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a heading; `new_page` begins a page on paper."""

    title: str
    blocks: Sequence[Block]
    new_page: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report.

    Attributes
    ----------
    lead
        What stands between the title and the first section.
    name
        What a browser's tab and a document's properties call it; the title if empty.
    """

    title: str
    lead: Sequence[Block]
    sections: Sequence[Section]
    name: str = ""


def level_span(level: Level) -> Span:
    """Return a level's sign and word, in its colour."""
    mark = LEVELS[level]
    return Span(f"{mark.sign} {mark.word}", level)
