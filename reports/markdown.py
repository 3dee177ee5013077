"""A report as Markdown, for cards: lines filled to a width, and nothing in a value that a reader takes for markup."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from functools import singledispatch
from typing import Final

from reports.model import (
    LEVELS,
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
    Span,
    Table,
    Text,
    Verdict,
    plain,
    spans,
)

WIDTH: Final = 120
_KEPT: Final = "\0"
"""Stands for a blank at which no line is broken, so that a command in a sentence can be copied."""

_SPECIAL: Final = re.compile(
    r"""\\(?=[!-/:-@\[-`{-~]|$) # a backslash that would hide what follows it
    | [*`]
    | (?<!\w)_ | _(?!\w)         # inside a word an underscore is one
    | <(?=[A-Za-z/!?])           # HTML, addresses
    | \](?=[(\[:])               # links
    | &(?=\#?\w+;)               # entities
    | ~(?=~)""",
    re.VERBOSE,
)
_BLOCK_START: Final = re.compile(r"^(\s*(?:\d{1,9}(?=[.)](?:\s|$)))?)(#{1,6}(?=\s|$)|>|[-+](?=\s|$)|[.)]|[=|]|-{2,}|~)")
"""What would make a line a heading, a quote, an item, a rule or a table."""


def render_markdown(report: Report, *, front_matter: str = "") -> str:
    """Return the card; `front_matter` is YAML that stands before it."""
    parts = [f"---\n{front_matter}\n---"] if front_matter else []
    parts += [f"# {_inline(report.title)}", *map(_block, report.lead)]
    for section in report.sections:
        parts += [f"## {_inline(section.title)}", *map(_block, section.blocks)]
    return _joined(parts) + "\n"


def blocks_markdown(blocks: Iterable[Block]) -> str:
    """Return some blocks alone."""
    return _joined(map(_block, blocks))


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(filter(None, parts)).replace(_KEPT, " ")


@singledispatch
def _block(block: Block) -> str:
    raise TypeError(f"A card shows no {type(block).__name__}.")


@_block.register
def _(block: Paragraph) -> str:
    return _filled(_inline(block.text))


@_block.register
def _(block: Heading) -> str:
    return f"### {_inline(block.text)}"


@_block.register
def _(block: Verdict) -> str:
    sign = LEVELS[block.level].sign
    label = f"**{sign} {_inline(block.label)}** {_inline(block.text)}"
    return _filled(label if block.label else f"**{sign} {_inline(plain(block.text))}**")


@_block.register
def _(block: Bullets) -> str:
    return "\n".join(f"- {_filled(_inline(item), '  ')}" for item in block.items)


@_block.register
def _(block: Facts) -> str:
    return _block(Bullets([f"{name}: {value}" for name, value in block.rows]))


@_block.register
def _(block: Table) -> str:
    rule = ["---" if place in block.words else "---:" for place in range(len(block.head))]
    rows = [_cells(block.head), rule, *map(_cells, block.rows)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return _joined([_filled(_inline(block.caption)), table])


@_block.register
def _(block: Figure) -> str:
    return _filled(f"*{_inline(block.caption)}*")


@_block.register
def _(block: Gallery) -> str:
    return _joined([_block(figure) for figure in block.figures])


@_block.register
def _(block: Code) -> str:
    fence = _longer_than_any("`", block.text, 3)
    return f"{fence}{block.language}\n{block.text}\n{fence}"


@_block.register
def _(block: Authored) -> str:
    if not block.quoted:
        return block.text.strip()
    return "\n".join(f"> {line}".rstrip() for line in block.text.splitlines())


@_block.register
def _(block: Details) -> str:
    return _joined([f"### {_inline(block.title)}", blocks_markdown(block.blocks)])


def _cells(row: Sequence[Text]) -> list[str]:
    return [_inline(cell).replace("|", "\\|") for cell in row]


def _inline(text: Text) -> str:
    """Return a text as Markdown on one line."""
    return "".join(map(_span, spans(text))).strip()


def _span(span: Span) -> str:
    text = re.sub(r"\s+", " ", span.text)
    if span.style == "strong":
        text = text.strip()
    if span.style == "code":
        return _code(text)
    escaped = _SPECIAL.sub(r"\\\g<0>", text)
    if span.style == "link":
        return f"[{escaped}](<{span.target.translate({60: '%3C', 62: '%3E', 10: ' '})}>)"
    return f"**{escaped}**" if span.style == "strong" and text else escaped


def _code(text: str) -> str:
    fence = _longer_than_any("`", text, 1)
    pad = " " if "`" in text[:1] + text[-1:] else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace(" ", _KEPT)


def _longer_than_any(sign: str, text: str, least: int) -> str:
    """Return a row of signs that is longer than every row of them in a text."""
    return sign * max([least, *(len(run) + 1 for run in re.findall(f"{sign}+", text) if len(run) >= least)])


def _filled(text: str, indent: str = "") -> str:
    lines = textwrap.wrap(text, WIDTH - len(indent), break_long_words=False, break_on_hyphens=False)
    return f"\n{indent}".join(_BLOCK_START.sub(r"\1\\\2", line) for line in lines)
