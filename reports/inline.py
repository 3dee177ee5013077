"""Sentences of a report: plain text, or spans of it that stand out, whatever form the report takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

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
