"""Tables of labels as people really save them: with commas, semicolons or tabs, in the encodings of spreadsheets."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from core.errors import InputRefusedError
from core.files.opening import open_regular, read_regular
from core.files.text import cell_text
from core.message import Message
from photographs.missing import known
from photographs.table_text import Head, TableText, decode, read_head

MAX_BYTES: Final = 2 * 1024**3
"""Of one table; tables of pixels are large."""

MAX_COLUMNS: Final = 20_000
MAX_CELLS: Final = 100_000_000
MAX_FIRST_LINE: Final = 4 * 1024**2
MAX_DAMAGED: Final = 0.05
"""Share of damaged lines above which a table is refused; one alone is ignored."""

NAMED: Final = 3
_NUL: Final = "\udc00"
"""Stands for a zero byte while a table is taken apart: no text in UTF-8 holds it."""

ALIASES: Final = {"image_path": "path"}
"""What others call a column that this program knows by another name; used where that column itself is missing."""


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One row: its line in the file (1-based) and its cells by lower-case column name, stripped; missing ones empty."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LabelTable:
    """A table.

    Attributes
    ----------
    columns
        Names in lower case.
    rows
        Those that are not blank; cells that say that something is not known are empty.
    damaged
        Lines that are ignored.
    guessed_encoding
        How it was read where that is a guess, or "".
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[LabelRow, ...]
    damaged: tuple[str, ...] = ()
    guessed_encoding: str = ""

    @property
    def notes(self) -> tuple[Message, ...]:
        """What a person should know, one sentence each."""
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[Message]:
        if self.guessed_encoding:
            yield Message(
                "{path} is not UTF-8 and was read as {encoding}; save it as CSV in UTF-8 if names look wrong.",
                path=self.path, encoding=self.guessed_encoding,
            )  # fmt: skip
        if self.damaged:
            yield Message("{lines} They are ignored.", lines=_counted(self.path, len(self.rows), self.damaged))

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
                Message(
                    "{path} has no column {missing}; it has {columns}.",
                    path=self.path,
                    missing=", ".join(missing),
                    columns=", ".join(self.columns) or "none",
                ),
                remedy=Message("The first line must name the columns {wanted}.", wanted=", ".join(wanted)),
                path=self.path,
            )


def read_columns(path: Path) -> tuple[str, ...]:
    """Return the column names of a table in lower case; () if the file is no text.

    Only the first lines are read: tables of pixels are large.
    """
    try:
        with open_regular(path) as stream:
            return _columns(read_head(decode(stream.read(MAX_FIRST_LINE), cut=True).text))
    except (OSError, ValueError, csv.Error):
        return ()


def read_table(path: Path) -> LabelTable:
    """Read a whole table; values that are missing are empty cells, see `photographs.missing`.

    A line that holds a zero byte or a field of more than 131,072 characters is ignored; see `LabelTable.notes`.

    Raises
    ------
    InputRefusedError
        If the file is missing or no text in an encoding that can be told, two columns have one name, a row has more
        cells than the first line, or more than 5 % of the lines are damaged.
    """
    found = _read_text(path)
    try:
        head = read_head(found.text)
    except csv.Error as error:
        raise _refused(path, f"is damaged at line 1: {error}") from error
    columns = _columns(head)
    if len(columns) > MAX_COLUMNS:
        raise _refused(path, f"names {len(columns):,} columns; at most {MAX_COLUMNS:,} are read")
    _refuse_repeated_columns(path, columns)
    damaged: list[str] = []
    reader = csv.reader(io.StringIO(found.text, newline=""), delimiter=head.delimiter)
    rows = tuple(_rows(path, columns, reader, head.lines, damaged))
    if len(damaged) > max(1 if rows else 0, MAX_DAMAGED * (len(rows) + len(damaged))):
        raise InputRefusedError(
            _counted(path, len(rows), damaged), remedy=Message("Save the table again as CSV in UTF-8."), path=path
        )
    return LabelTable(path, columns, rows, tuple(damaged), found.encoding if found.guessed else "")


def _columns(head: Head) -> tuple[str, ...]:
    """Return the names by which this program knows the columns."""
    return tuple(name if ALIASES.get(name, name) in head.names else ALIASES[name] for name in head.names)


def _refuse_repeated_columns(path: Path, columns: Sequence[str]) -> None:
    repeated = [name for name, count in Counter(columns).items() if count > 1 and name]
    if repeated:
        raise InputRefusedError(
            Message(
                "{path} has several columns of the same name: {names}.",
                path=path, names=", ".join(repeated),
            ),
            remedy=Message("Rename or remove all but one of them."),
            path=path,
        )  # fmt: skip


def _rows(path: Path, columns: tuple[str, ...], reader: Any, head_lines: int, damaged: list[str]) -> Iterator[LabelRow]:
    """Yield the rows below the head that are not blank, and note the damaged ones."""
    count = 0
    for line, cells, problem in _lines(reader, head_lines):
        if problem:
            damaged.append(f"line {line} ({problem})")
        elif any(map(str.strip, cells)):
            count += 1
            if count * len(columns) > MAX_CELLS:
                raise _refused(path, f"has more than {MAX_CELLS:,} cells")
            yield _row(path, columns, line, cells)


def _lines(reader: Any, head_lines: int) -> Iterator[tuple[int, list[str], str]]:
    """Yield number, cells and problem of every line below the head."""
    for _ in range(head_lines):
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


def _read_text(path: Path) -> TableText:
    try:
        found = decode(read_regular(path, MAX_BYTES))
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(path, f"cannot be read as a table: {error}") from error
    if "\0" in found.text.partition("\n")[0]:
        raise _refused(path, "is no text")
    return replace(found, text=found.text.replace("\0", _NUL))


def _refused(path: Path, why: str) -> InputRefusedError:
    return InputRefusedError(
        Message("{path} {why}.", path=path, why=why), remedy=Message("Save the table as CSV in UTF-8."), path=path
    )


def _counted(path: Path, good: int, damaged: Sequence[str]) -> Message:
    more = f" and {len(damaged) - NAMED} more" if len(damaged) > NAMED else ""
    return Message(
        "{bad} of {total} lines of {path} are damaged: {lines}.",
        bad=len(damaged), total=good + len(damaged), path=path, lines=", ".join(damaged[:NAMED]) + more,
    )  # fmt: skip


def _row(path: Path, columns: tuple[str, ...], line: int, cells: list[str]) -> LabelRow:
    if len(cells) > len(columns):
        raise InputRefusedError(
            Message(
                "Line {line} of {path} has {cells} cells, but the first line names {columns} columns.",
                line=line,
                path=path,
                cells=len(cells),
                columns=len(columns),
            ),
            remedy=Message("Put quotation marks around cells that hold the separator."),
            path=path,
        )
    padded = cells + [""] * (len(columns) - len(cells))
    texts = (known(cell_text(cell)) for cell in padded)
    return LabelRow(line, dict(zip(columns, texts, strict=True)))
