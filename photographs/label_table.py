"""Tables of labels as people really save them: comma, semicolon or tab, with or without a byte order mark."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import InputRefusedError
from core.files.csv_text import cell_text
from core.files.opening import open_regular, read_regular
from core.message import Message

MAX_BYTES: Final = 2 * 1024**3
"""Of one table; tables of pixels are large."""

MAX_COLUMNS: Final = 20_000
MAX_CELLS: Final = 100_000_000
MAX_FIRST_LINE: Final = 4 * 1024**2
MAX_DAMAGED: Final = 0.05
"""Share of damaged lines above which a table is refused; one alone is passed over."""

NAMED: Final = 3
_NUL: Final = "\udc00"
"""Stands for a zero byte while a table is taken apart: no text in UTF-8 holds it."""

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
    """A table: its file, its column names in lower case, the rows that are not blank, and lines that are damaged."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[LabelRow, ...]
    damaged: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[Message, ...]:
        """What a person should know, one sentence each."""
        if not self.damaged:
            return ()
        return (Message("{lines} They are passed over.", lines=_counted(self.path, len(self.rows), self.damaged)),)

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
        with open_regular(path) as stream:
            return _header(stream.readline(MAX_FIRST_LINE).decode("utf-8-sig"))[0]
    except (OSError, ValueError, csv.Error):
        return ()


def read_table(path: Path) -> LabelTable:
    """Read a whole table.

    A line that holds a zero byte or a field of more than 131,072 characters is passed over; see `LabelTable.notes`.

    Raises
    ------
    InputRefusedError
        If the file is missing, is no UTF-8 text, a row has more cells than the first line, or more than 5 % of the
        lines are damaged.
    """
    text = _read_text(path)
    try:
        columns, delimiter = _header(text.partition("\n")[0])
    except csv.Error as error:
        raise _refused(path, f"is damaged at line 1: {error}") from error
    if len(columns) > MAX_COLUMNS:
        raise _refused(path, f"names {len(columns):,} columns; at most {MAX_COLUMNS:,} are read")
    damaged: list[str] = []
    rows = tuple(_rows(path, columns, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), damaged))
    if len(damaged) > max(1 if rows else 0, MAX_DAMAGED * (len(rows) + len(damaged))):
        raise InputRefusedError(
            _counted(path, len(rows), damaged), remedy="Save the table again as CSV in UTF-8.", path=path
        )
    return LabelTable(path, columns, rows, tuple(damaged))


def _rows(path: Path, columns: tuple[str, ...], reader: Any, damaged: list[str]) -> Iterator[LabelRow]:
    """Yield the rows below the first line that are not blank, and note the damaged ones."""
    count = 0
    for line, cells, problem in _lines(reader):
        if problem:
            damaged.append(f"line {line} ({problem})")
        elif any(map(str.strip, cells)):
            count += 1
            if count * len(columns) > MAX_CELLS:
                raise _refused(path, f"has more than {MAX_CELLS:,} cells")
            yield _row(path, columns, line, cells)


def _lines(reader: Any) -> Iterator[tuple[int, list[str], str]]:
    """Yield number, cells and problem of every line but the first."""
    next(reader, None)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, [], str(error)
            continue
        yield reader.line_num, cells, "a zero byte" if any(_NUL in cell for cell in cells) else ""


def _read_text(path: Path) -> str:
    try:
        text = read_regular(path, MAX_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(path, f"cannot be read as a table: {error}") from error
    if "\0" in text.partition("\n")[0]:
        raise _refused(path, "is no text")
    return text.replace("\0", _NUL)


def _refused(path: Path, why: str) -> InputRefusedError:
    return InputRefusedError(f"{path} {why}.", remedy="Save the table as CSV in UTF-8.", path=path)


def _counted(path: Path, good: int, damaged: Sequence[str]) -> Message:
    more = f" and {len(damaged) - NAMED} more" if len(damaged) > NAMED else ""
    return Message(
        "{bad} of {total} lines of {path} are damaged: {lines}.",
        bad=len(damaged), total=good + len(damaged), path=path, lines=", ".join(damaged[:NAMED]) + more,
    )  # fmt: skip


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
    texts = (cell_text(cell).strip() for cell in padded)
    return LabelRow(line, dict(zip(columns, texts, strict=True)))
