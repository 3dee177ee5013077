"""What a report is made of. Every form of a report is made of these blocks, and of nothing else.

Sentences are plain text, or spans of it that stand out, whatever form the report takes. Markdown that somebody wrote
becomes blocks: its paragraphs, lists, headings and fenced code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple, TypeAlias

from core.home import without_home

Style = Literal["", "strong", "code", "link", "good", "doubt", "bad", "unknown"]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of plain text and how it stands out.

    Attributes
    ----------
    target
        Where a link leads: a path relative to the report.
    """

    text: str
    style: Style = ""
    target: str = ""


Text: TypeAlias = str | Span | tuple[str | Span, ...]
"""A string is plain text: nothing in it is markup, whoever wrote it."""

_MARKUP: Final = re.compile(r"\*\*(?P<strong>.+?)\*\*|`(?P<code>[^`]+)`", re.DOTALL)


def spans(text: Text) -> tuple[Span, ...]:
    """Return a text as spans, without anybody's home folder: reports are passed on."""
    pieces = text if isinstance(text, tuple) else (text,)
    return tuple(_nameless(piece if isinstance(piece, Span) else Span(str(piece))) for piece in pieces)


def _nameless(span: Span) -> Span:
    text = without_home(span.text)
    return span if text == span.text else replace(span, text=text)


def plain(text: Text) -> str:
    """Return the words of a text alone."""
    return "".join(span.text for span in spans(text))


def parse(markup: str) -> tuple[Span, ...]:
    """Return the spans of a text with ``**strong**`` and `` `code` `` in it."""
    return tuple(_parse(markup))


def marked(markup: str, /, **values: object) -> tuple[Span, ...]:
    """Return the spans of a template with ``**strong**``, `` `code` `` and ``{name}`` in it.

    Parameters
    ----------
    values
        What fills the gaps, as plain text: markup in a value stays what it is.
    """
    return tuple(replace(span, text=span.text.format(**values)) for span in _parse(markup))


def _parse(markup: str) -> Iterator[Span]:
    end = 0
    for match in _MARKUP.finditer(markup):
        if match.start() > end:
            yield Span(markup[end : match.start()])
        strong = match["strong"]
        yield Span(match["code"], "code") if strong is None else Span(strong, "strong")
        end = match.end()
    if end < len(markup):
        yield Span(markup[end:])


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


_FENCE: Final = re.compile(r"^```.*?^```[^\n]*$|\Z", re.MULTILINE | re.DOTALL)


def blocks_of(text: str) -> Iterator[Block]:
    """Yield the blocks of a text; what is not understood is a paragraph."""
    end = 0
    for match in _FENCE.finditer(text):
        yield from (_block(part.splitlines()) for part in text[end : match.start()].split("\n\n") if part.strip())
        if match[0]:
            yield Code("\n".join(match[0].splitlines()[1:-1]))
        end = match.end()


def _block(lines: list[str]) -> Block:
    lines = [line for line in lines if line.strip()]
    if lines[0].startswith("#"):
        return Heading(parse(" ".join(lines).lstrip("# ")))
    if lines[0].startswith("- "):
        return Bullets([parse(item) for item in _items(lines)])
    if lines[0].startswith("|"):
        return Code("\n".join(lines))
    return Paragraph(parse(" ".join(line.strip() for line in lines)))


def _items(lines: list[str]) -> list[str]:
    """Return the items of a list, each as one line, however it was broken."""
    joined: list[str] = []
    for line in lines:
        if line.startswith("- ") or not joined:
            joined.append(line.removeprefix("- "))
        else:
            joined[-1] += f" {line.strip()}"
    return joined
