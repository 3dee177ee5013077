"""Plain Markdown: its blocks, its paragraphs filled to a width, its tables."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

WIDTH = 120


def blocks(text: str) -> list[list[str]]:
    """Return the blocks of a text, each as its lines; an item of a list is one line, however it was broken."""
    return [_joined_items(block.splitlines()) for block in text.split("\n\n") if block.strip()]


def fill(text: str) -> str:
    """Return a text with its paragraphs and list items filled to `WIDTH`; headings and tables stay as they are."""
    return "\n\n".join("\n".join(_filled(block)) for block in blocks(text)) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first column is aligned left, the others right."""
    rule = ("---", *["---:"] * (len(head) - 1))
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])


def _joined_items(lines: list[str]) -> list[str]:
    joined: list[str] = []
    for line in lines:
        if joined and joined[-1].startswith("- ") and line.startswith("  "):
            joined[-1] += f" {line.strip()}"
        else:
            joined.append(line)
    return joined


def _filled(block: list[str]) -> list[str]:
    if block[0].startswith(("#", "|")):
        return block
    if block[0].startswith("- "):
        return [_wrap(item, "  ") for item in block]
    return [_wrap(" ".join(block), "")]


def _wrap(text: str, indent: str) -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
