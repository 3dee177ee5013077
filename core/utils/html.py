"""Pages to read: one self-contained HTML file, with its pictures in it and nothing loaded from anywhere."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from core.files.text import plain
from core.utils.palette import ACCENT, HAIRLINE, MUTED, PANEL, TEXT, WINDOW

_STYLE: Final = f"""
body {{ margin: 0; background: {WINDOW}; color: {TEXT}; font: 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }}
main {{ max-width: 1100px; margin: 0 auto; padding: 32px 16px 64px; }}
h1 {{ font-size: 24px; margin: 0 0 4px; }}
h2 {{ font-size: 18px; margin: 0; }}
p, li {{ max-width: 80ch; }}
p {{ margin: 8px 0; }}
section {{ background: {PANEL}; border: 1px solid {HAIRLINE}; border-radius: 6px; padding: 16px 20px; margin: 16px 0; }}
img {{ max-width: 100%; height: auto; display: block; margin: 12px 0; }}
.muted {{ color: {MUTED}; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
td, th {{ padding: 3px 24px 3px 0; vertical-align: top; text-align: left; }}
th {{ font-weight: 600; border-bottom: 1px solid {HAIRLINE}; }}
td:first-child {{ color: {MUTED}; }}
table.numbers {{ font-size: 14px; white-space: nowrap; }}
table.numbers td:not(:first-child), table.numbers th:not(:first-child) {{ text-align: right; padding: 3px 0 3px 20px; }}
summary {{ cursor: pointer; color: {ACCENT}; }}
"""


def page(title: str, body: Iterable[str], style: str = "") -> str:
    """Return a page of HTML parts, in the house's style and some more of its own."""
    return plain(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}{style}</style></head>\n<body><main>\n"
        + "\n".join(body)
        + "\n</main></body></html>\n"
    )


def section(title: str, *parts: str) -> str:
    """Return a section of HTML parts under a title in plain text."""
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def paragraph(text: str, kind: str = "") -> str:
    """Return plain text as a paragraph, of a CSS class if one is named."""
    return f"<p{f' class={kind!r}' if kind else ''}>{escape(text)}</p>"


def items(texts: Iterable[str]) -> str:
    """Return plain texts as a list."""
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"


def picture(png: bytes, text: str) -> str:
    """Return a PNG file as an image that says `text` to those who cannot see it."""
    return f'<img alt="{escape(text)}" src="data:image/png;base64,{base64.b64encode(png).decode("ascii")}">'


def pairs(rows: Iterable[tuple[str, object]]) -> str:
    """Return a table of names and values in plain text."""
    cells = (f"<tr><td>{escape(name)}</td><td>{escape(str(value))}</td></tr>" for name, value in rows)
    return f"<table>{''.join(cells)}</table>"


def numbers(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of plain texts with a head, numbers to the right; it scrolls where it is too wide."""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table class="numbers"><tr>{top}</tr>{body}</table></div>'


def folded(title: str, *parts: str) -> str:
    """Return HTML parts that are shown when their title is clicked."""
    return f"<details><summary>{escape(title)}</summary>{''.join(parts)}</details>"
