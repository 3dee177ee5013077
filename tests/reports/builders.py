"""Reports of every block, with words that try to be more than words."""

from __future__ import annotations

import io

from PIL import Image

from reports.model import (
    Authored,
    Block,
    Bullets,
    Code,
    Details,
    Facts,
    Figure,
    Gallery,
    Heading,
    Paragraph,
    Report,
    Section,
    Span,
    Table,
    Verdict,
)

HOSTILE = """<script>alert("1")</script> ' onload='x | # ``` **b** [a](http://evil.test) ![i](//evil.test) &lt;
# Owned

- item"""


def png(colour: str = "teal") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (12, 8), colour).save(stream, "PNG")
    return stream.getvalue()


def blocks_of(words: str) -> list[Block]:
    """Return a block of every kind, with the words wherever words may stand."""
    figure = Figure(png(), words)
    return [
        Paragraph((words, Span(words, "strong"), Span(words, "code"), Span(words, "link", words)), "warning"),
        Heading(words),
        Verdict("bad", words),
        Verdict("good", words, words),
        Bullets([words]),
        Facts([(words, words)]),
        Table((words, words), [(words, Span(words, "doubt"))], words, frozenset({0})),
        Table((words,), [(words,)], words, folded=True),
        figure,
        Gallery([figure], 8),
        Code(words),
        Authored(words),
        Authored(words, quoted=True),
        Details(words, [Paragraph(words)]),
    ]


def report(words: str) -> Report:
    return Report(words, blocks_of(words), [Section(words, blocks_of(words), new_page=True)], words)
