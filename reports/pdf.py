"""A report on paper, drawn with matplotlib so that no other program is needed."""

from __future__ import annotations

import io
import itertools
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from functools import singledispatch
from typing import Any, Final

import numpy as np
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure as Page
from numpy.typing import NDArray
from PIL import Image

from core.utils.palette import MUTED, TEXT
from core.version import PRODUCT, __version__
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
    Table,
    Verdict,
    blocks_of,
    plain,
)

SIZE: Final = (8.27, 11.69)
"""A4 in inches."""

MARGIN: Final = 0.08
WIDTH: Final = 1 - 2 * MARGIN
COLUMNS: Final = 98
ROWS_OF_TABLE: Final = 40
LETTERS_OF_ROW: Final = 138
"""Of the small letters of a table, side by side between the margins."""

LINE: Final = 0.0165
ABREAST: Final = 8
"""Small pictures side by side."""

_COLOURS: Final = {"muted": MUTED, "warning": LEVELS["doubt"].colour}

Pixels = NDArray[np.uint8]


def render_pdf(report: Report) -> bytes:
    """Return the document."""
    stream = io.BytesIO()
    about = {"Title": report.name or report.title, "Creator": f"{PRODUCT} {__version__}", "CreationDate": None}
    with PdfPages(stream, metadata=about) as document:
        for page in _pages(report):
            document.savefig(page)
    return stream.getvalue()


def _pages(report: Report) -> Sequence[Page]:
    writer = _Writer()
    writer.heading(report.title, 18)
    writer.blocks(report.lead)
    for section in report.sections:
        if section.new_page:
            writer.new_page()
        writer.space(0.01)
        writer.heading(section.title, 13)
        writer.blocks(section.blocks)
    for number, page in enumerate(writer.pages, 1):
        place = f"{number} / {len(writer.pages)}"
        page.text(1 - MARGIN, MARGIN / 2, place, fontsize=7, color=MUTED, ha="right")
    return writer.pages


class _Writer:
    """Fills pages from top to bottom."""

    def __init__(self) -> None:
        self.pages = [Page(figsize=SIZE)]
        self._y = 1 - MARGIN

    def new_page(self) -> None:
        """Go on at the top of another page."""
        if self._y < 1 - MARGIN:
            self.pages.append(Page(figsize=SIZE))
            self._y = 1 - MARGIN

    def space(self, height: float) -> None:
        """Leave some room, except at the top of a page."""
        if self._y < 1 - MARGIN:
            self._y -= height

    def blocks(self, blocks: Iterable[Block]) -> None:
        """Write blocks one after the other."""
        for block in blocks:
            _write(block, self)

    def heading(self, text: str, size: float) -> None:
        """Write a heading, on the page of what follows it."""
        self._make_room(LINE * (size / 9 + 4))
        for line in textwrap.wrap(text, round(COLUMNS * 8 / size)):
            self._line(line, size=size, weight="bold")
        self.space(LINE / 2)

    def paragraph(self, text: str, colour: str = TEXT, weight: str = "normal", indent: str = "") -> None:
        """Write a text in as many lines as it takes."""
        for line in textwrap.wrap(text, COLUMNS, initial_indent=indent, subsequent_indent=" " * 3 if indent else ""):
            self._line(line, colour=colour, weight=weight)
        self.space(LINE / 2)

    def picture(self, pixels: Pixels, caption: str) -> None:
        """Show a picture as wide as the page, or as high as there is room for."""
        shape = pixels.shape[0] / pixels.shape[1] * SIZE[0] / SIZE[1]
        width = min(WIDTH, 0.4 / shape)
        self._make_room(width * shape + 2 * LINE)
        axes = self.pages[-1].add_axes((MARGIN, self._y - width * shape, width, width * shape))
        axes.imshow(pixels)
        axes.axis("off")
        self._y -= width * shape + LINE / 2
        self.paragraph(caption, MUTED)

    def table(self, table: Table) -> None:
        """Write a table in lines of columns under its caption; long cells take several lines."""
        self.paragraph(table.caption, MUTED)
        rows = [[plain(cell) for cell in row] for row in (table.head, *table.rows[:ROWS_OF_TABLE])]
        widths = _widths(rows)
        for place, row in enumerate(rows):
            lines = _lines(row, widths, table.words)
            self._make_room(LINE * (0.25 + 0.75 * len(lines)))
            for line in lines:
                self._small(line, MUTED if place - 1 in table.muted or not place else TEXT)
        if len(table.rows) > ROWS_OF_TABLE:
            self.paragraph(f"… {len(table.rows) - ROWS_OF_TABLE} more rows on the page", MUTED)
        self.space(LINE)

    def code(self, text: str) -> None:
        """Write lines as they are, broken where they are too long."""
        for line in text.splitlines():
            for part in textwrap.wrap(line, LETTERS_OF_ROW) or [""]:
                self._make_room(LINE)
                self._small(part, TEXT)
        self.space(LINE)

    def _line(self, text: str, *, size: float = 9, colour: str = TEXT, weight: str = "normal") -> None:
        height = LINE * size / 9
        self._make_room(height)
        self._text(text, fontsize=size, color=colour, weight=weight)
        self._y -= height

    def _small(self, text: str, colour: str) -> None:
        self._text(text, fontsize=6, family="monospace", color=colour)
        self._y -= LINE * 0.75

    def _text(self, text: str, **style: Any) -> None:
        self.pages[-1].text(MARGIN, self._y, text, va="top", parse_math=False, **style)

    def _make_room(self, height: float) -> None:
        if self._y - height < MARGIN:
            self.new_page()


@singledispatch
def _write(block: Block, writer: _Writer) -> None:
    raise TypeError(f"Paper shows no {type(block).__name__}.")


@_write.register
def _(block: Paragraph, writer: _Writer) -> None:
    weight = "bold" if block.kind == "headline" else "normal"
    writer.paragraph(plain(block.text), _COLOURS.get(block.kind, TEXT), weight)


@_write.register
def _(block: Heading, writer: _Writer) -> None:
    writer.heading(plain(block.text), 11)


@_write.register
def _(block: Verdict, writer: _Writer) -> None:
    mark = LEVELS[block.level]
    words = " ".join(filter(None, (mark.sign, block.label, plain(block.text))))
    writer.paragraph(words, mark.colour, "normal" if block.label else "bold")


@_write.register
def _(block: Bullets, writer: _Writer) -> None:
    for item in block.items:
        writer.paragraph(plain(item), indent="•  ")


@_write.register
def _(block: Facts, writer: _Writer) -> None:
    for name, value in block.rows:
        writer.paragraph(plain(f"{name}: {value}"))


@_write.register
def _(block: Table, writer: _Writer) -> None:
    writer.table(block)


@_write.register
def _(block: Figure, writer: _Writer) -> None:
    writer.picture(_pixels(block), block.caption)


@_write.register
def _(block: Gallery, writer: _Writer) -> None:
    if block.figures:
        writer.picture(_sheet([_pixels(figure) for figure in block.figures]), "")


@_write.register
def _(block: Code, writer: _Writer) -> None:
    writer.code(block.text)


@_write.register
def _(block: Authored, writer: _Writer) -> None:
    writer.blocks(blocks_of(block.text))


@_write.register
def _(block: Details, writer: _Writer) -> None:
    writer.heading(block.title, 9)
    writer.blocks(block.blocks)


def _pixels(figure: Figure) -> Pixels:
    if isinstance(figure.image, str):
        raise TypeError(f"A document holds its pictures: {figure.image} is only the name of one.")
    with Image.open(io.BytesIO(figure.image)) as image:
        return np.asarray(image.convert("RGB"))


def _sheet(squares: Sequence[Pixels]) -> Pixels:
    """Return pictures of one size side by side, in as many rows as it takes, the last one filled with white."""
    count = min(ABREAST, len(squares))
    empty = [np.full_like(squares[0], 255)] * (-len(squares) % count)
    filled = [*squares, *empty]
    return np.concatenate([np.concatenate(filled[start : start + count], 1) for start in range(0, len(filled), count)])


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the columns' widths in letters: what they need, the widest narrowed until a line fits the page."""
    widths = [max(1, *map(len, column)) for column in zip(*rows, strict=True)]
    room = LETTERS_OF_ROW - 2 * (len(widths) - 1)
    while sum(widths) > room and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    return widths


def _lines(row: Sequence[str], widths: Sequence[int], words: frozenset[int]) -> list[str]:
    """Return the lines that a row takes, each cell broken at its column's width; numbers stand to the right."""
    cells = [textwrap.wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
    lines = itertools.zip_longest(*cells, fillvalue="")
    return ["  ".join(_aligned(line, widths, words)).rstrip() for line in lines] or [""]


def _aligned(line: Sequence[str], widths: Sequence[int], words: frozenset[int]) -> Iterator[str]:
    for place, (part, width) in enumerate(zip(line, widths, strict=True)):
        yield part.ljust(width) if place in words else part.rjust(width)
