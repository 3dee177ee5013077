"""Rows of every table that the program writes: no cell is one that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final

from core.files.text import plain

_FORMULA_STARTS: Final = ("=", "+", "-", "@")
_MARK: Final = "'"


def csv_line(cells: Iterable[object]) -> str:
    """Return a row with its line end; numbers are written as they are, None as nothing.

    A text that a spreadsheet would run as a formula, also behind spaces and tabs, begins with an apostrophe. A row is
    one line, for whoever repairs a torn table: line ends inside a text become spaces.
    """
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(map(_cell, cells))
    return plain(buffer.getvalue())


def cell_text(cell: str) -> str:
    """Return the text that `csv_line` was given for a cell."""
    return cell[1:] if cell.startswith(_MARK) and _is_formula(cell) else cell


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.replace("\r", " ").replace("\n", " ")
    return f"{_MARK}{text}" if _is_formula(text) else text


def _is_formula(text: str) -> bool:
    """Whether a text is a formula, or one that has got apostrophes already: then it gets another one."""
    bare = text.lstrip(_MARK)
    return bare.startswith("\t") or bare.lstrip().startswith(_FORMULA_STARTS)
