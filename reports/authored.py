"""Markdown that somebody wrote, as blocks: its paragraphs, lists, headings and fenced code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from reports.inline import parse
from reports.model import Block, Bullets, Code, Heading, Paragraph

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
