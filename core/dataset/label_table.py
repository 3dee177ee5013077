"""Tables of labels as people really save them: comma, semicolon or tab, with or without a byte order mark."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.errors import InputRefusedError

DELIMITERS: Final = (",", ";", "\t")
ALIASES: Final = {"image_path": "path"}
"""What others call a column that this program knows by another name; used where that column itself is missing."""


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One row: its line in the file (1-based) and its cells by lower-case column name, stripped."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LabelTable:
    """A table: its file, its column names in lower case, and the rows that are not blank."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[LabelRow, ...]

    def require(self, columns: Iterable[str]) -> None:
        """Check that the table has these columns.

        Raises
        ------
        InputRefusedError
            Naming the columns that are missing and those that are there.
        """
        wanted = tuple(columns)
        missing = [name for name in wanted if name.lower() not in self.columns]
        if missing:
            raise InputRefusedError(
                f"{self.path} has no column {', '.join(missing)}; it has {', '.join(self.columns) or 'none'}.",
                remedy=f"The first line must name the columns {', '.join(wanted)}.",
                path=self.path,
            )


def read_columns(path: Path) -> tuple[str, ...]:
    """Return the column names of a table in lower case; () if the file is no text.

    Only the first line is read: tables of pixels are large.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return _header(stream.readline())[0]
    except (OSError, UnicodeDecodeError, csv.Error):
        return ()


def read_table(path: Path) -> LabelTable:
    """Read a whole table.

    Raises
    ------
    InputRefusedError
        If the file is missing, is no UTF-8 text, or a row has more cells than the first line.
    """
    text = _read_text(path)
    columns, delimiter = _header(text.partition("\n")[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        next(reader, None)
        rows = [_row(path, columns, reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
    except csv.Error as error:
        raise InputRefusedError(
            f"{path} is damaged at line {reader.line_num}: {error}.", remedy="Save the table again as CSV.", path=path
        ) from error
    return LabelTable(path, columns, tuple(rows))


def _read_text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefusedError(
            f"{path} cannot be read as a table: {error}.", remedy="Save the table as CSV in UTF-8.", path=path
        ) from error
    if "\0" in text:
        raise InputRefusedError(f"{path} is no text.", remedy="Save the table as CSV in UTF-8.", path=path)
    return text


def _header(line: str) -> tuple[tuple[str, ...], str]:
    delimiter = max(DELIMITERS, key=line.count)
    cells = next(csv.reader([line.strip("\r\n")], delimiter=delimiter), [])
    names = [cell.strip().lower() for cell in cells]
    return tuple(name if ALIASES.get(name, name) in names else ALIASES[name] for name in names), delimiter


def _row(path: Path, columns: tuple[str, ...], line: int, cells: list[str]) -> LabelRow:
    if len(cells) > len(columns):
        raise InputRefusedError(
            f"Line {line} of {path} has {len(cells)} cells, but the first line names {len(columns)} columns.",
            remedy="Put quotation marks around cells that hold the separator.",
            path=path,
        )
    padded = cells + [""] * (len(columns) - len(cells))
    return LabelRow(line, dict(zip(columns, map(str.strip, padded), strict=True)))
