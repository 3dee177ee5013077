"""`report.pdf`: the same sections on paper, drawn with matplotlib so that no other program is needed."""

from __future__ import annotations

import io
import itertools
import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from PIL import Image

from core.utils.palette import MUTED, TEXT
from core.version import PRODUCT, __version__
from evaluation.report import ABOUT, LEVELS, example_rows
from evaluation.results import Findings, SetFindings
from evaluation.section import Level, Picture, Section, Table, Words

PDF_FILE: Final = "report.pdf"
PAGE: Final = (8.27, 11.69)
"""A4 in inches."""

COLORS: Final[dict[Level, str]] = {"good": "#1a7f37", "doubt": "#946200", "bad": "#c0262d", "unknown": "#57606a"}
MARGIN: Final = 0.08
WIDTH: Final = 1 - 2 * MARGIN
COLUMNS: Final = 98
ROWS_OF_TABLE: Final = 40
LETTERS_OF_ROW: Final = 138
"""Of the small letters of a table, side by side between the margins."""

LINE: Final = 0.0165


def render_pdf(findings: Findings) -> bytes:
    """Return the document."""
    stream = io.BytesIO()
    about = {"Title": "Evaluation of a synthetic set", "Creator": f"{PRODUCT} {__version__}", "CreationDate": None}
    with PdfPages(stream, metadata=about) as document:
        for figure in _pages(findings):
            document.savefig(figure)
    return stream.getvalue()


def _pages(findings: Findings) -> Iterator[Figure]:
    writer = _Writer()
    writer.line("Is this synthetic set any good?", size=18, weight="bold")
    writer.line(f"{PRODUCT} {__version__}, {findings.created}", color=MUTED)
    writer.paragraph(ABOUT)
    for found in findings.sets:
        writer.paragraph(f"{LEVELS[found.level][0]} {found.name}: {found.verdict}", COLORS[found.level], weight="bold")
        for one in found.sections:
            writer.paragraph(f"{LEVELS[one.level][0]} {one.title}: {one.verdict}", COLORS[one.level])
    sets = [findings.real, *([findings.train] if findings.train else []), *(found.images for found in findings.sets)]
    for note in [*findings.notes, *(f"{one.name}: {note}" for one in sets for note in one.notes)]:
        writer.paragraph(note, MUTED)
    for found in findings.sets:
        _write_set(writer, found)
    yield from writer.finish()


def _write_set(writer: _Writer, found: SetFindings) -> None:
    writer.new_page()
    writer.line(f"{found.name}: {len(found.images)} images", size=14, weight="bold")
    writer.picture(_example_sheet(found), "The first images of each class, not selected")
    for one in found.sections:
        _write_section(writer, one)


def _write_section(writer: _Writer, one: Section) -> None:
    writer.space(0.01)
    writer.line(one.title, size=13, weight="bold")
    writer.paragraph(f"{LEVELS[one.level][0]} {one.verdict}", COLORS[one.level])
    for part in one.parts:
        if isinstance(part, Words):
            writer.paragraph(part.text, MUTED if part.kind == "muted" else TEXT)
        elif isinstance(part, Picture):
            writer.picture(np.asarray(Image.open(io.BytesIO(part.png)).convert("RGB")), part.caption)
        else:
            writer.table(part)


def _example_sheet(found: SetFindings) -> Any:
    squares = found.images.only(example_rows(found.images)).pixels(64).transpose(0, 2, 3, 1)
    return np.concatenate(list(squares), axis=1) if len(squares) <= 8 else _two_rows(list(squares))


def _two_rows(squares: Sequence[Any]) -> Any:
    half = (len(squares) + 1) // 2
    rows = [np.concatenate(squares[start : start + half], axis=1) for start in (0, half)]
    filled = np.full_like(rows[0], 255)
    filled[:, : rows[1].shape[1]] = rows[1]
    return np.concatenate([rows[0], filled], axis=0)


class _Writer:
    """Fills pages from top to bottom."""

    def __init__(self) -> None:
        self._done: list[Figure] = []
        self._figure = Figure(figsize=PAGE)
        self._y = 1 - MARGIN

    def finish(self) -> Iterator[Figure]:
        """Return the pages."""
        yield from (*self._done, self._figure)

    def new_page(self) -> None:
        """Go on at the top of another page."""
        if self._y < 1 - MARGIN:
            self._done.append(self._figure)
            self._figure = Figure(figsize=PAGE)
            self._y = 1 - MARGIN

    def space(self, height: float) -> None:
        """Leave some room."""
        self._y -= height

    def line(self, text: str, *, size: float = 9, color: str = TEXT, weight: str = "normal") -> None:
        """Write one line."""
        height = LINE * size / 9
        self._make_room(height)
        self._figure.text(MARGIN, self._y, text, fontsize=size, color=color, weight=weight, va="top", parse_math=False)
        self._y -= height

    def paragraph(self, text: str, color: str = TEXT, weight: str = "normal") -> None:
        """Write a text in as many lines as it takes."""
        for line in textwrap.wrap(text, COLUMNS):
            self.line(line, color=color, weight=weight)
        self.space(LINE / 2)

    def picture(self, pixels: Any, caption: str) -> None:
        """Show a picture as wide as the page, or as high as there is room for."""
        shape = pixels.shape[0] / pixels.shape[1] * PAGE[0] / PAGE[1]
        width = min(WIDTH, 0.4 / shape)
        self._make_room(width * shape + 2 * LINE)
        axes = self._figure.add_axes((MARGIN, self._y - width * shape, width, width * shape))
        axes.imshow(pixels)
        axes.axis("off")
        self._y -= width * shape + LINE / 2
        self.paragraph(caption, MUTED)

    def table(self, table: Table) -> None:
        """Write a table in lines of columns under its caption; long cells take several lines."""
        if table.caption:
            self.paragraph(table.caption, MUTED)
        rows = [[str(cell) for cell in row] for row in (table.head, *table.rows[:ROWS_OF_TABLE])]
        widths = _widths(rows)
        for place, row in enumerate(rows):
            lines = _lines(row, widths)
            self._make_room(LINE * (0.25 + 0.75 * len(lines)))
            for line in lines:
                self._small(line, MUTED if place - 1 in table.muted or not place else TEXT)
        if len(table.rows) > ROWS_OF_TABLE:
            self.paragraph(f"… {len(table.rows) - ROWS_OF_TABLE} more rows on the page", MUTED)
        self.space(LINE)

    def _small(self, text: str, color: str) -> None:
        """Write a line of a table."""
        self._figure.text(
            MARGIN, self._y, text, fontsize=6, family="monospace", va="top", parse_math=False, color=color
        )
        self._y -= LINE * 0.75

    def _make_room(self, height: float) -> None:
        if self._y - height < MARGIN:
            self.new_page()


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the columns' widths in letters: what they need, the widest narrowed until a line fits the page."""
    widths = [max(1, *map(len, column)) for column in zip(*rows, strict=True)]
    room = LETTERS_OF_ROW - 2 * (len(widths) - 1)
    while sum(widths) > room and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    return widths


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return the lines that a row takes, each cell broken at its column's width."""
    cells = [textwrap.wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
    lines = itertools.zip_longest(*cells, fillvalue="")
    return ["  ".join(part.ljust(width) for part, width in zip(line, widths, strict=True)) for line in lines] or [""]


def created_now() -> str:
    """Return the date and time that a report carries."""
    return datetime.now().astimezone().isoformat(timespec="seconds")
