"""On what terms photographs may be used, where their table says so row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from photographs.label_table import LabelTable, read_columns, read_table
from photographs.licence import UNKNOWN, Licence

LICENCE_COLUMNS: Final = ("licence", "license", "copyright_license")
CREDIT_COLUMNS: Final = ("attribution", "credit")


def read_terms(path: Path) -> Licence:
    """Return the terms that a table names: all of them, the most frequent first; unknown where it names none.

    Raises
    ------
    InputRefusedError
        If the table is damaged.
    """
    if not {*LICENCE_COLUMNS, *CREDIT_COLUMNS} & set(read_columns(path)):
        return Licence()
    table = read_table(path)
    licences = _frequent(cell or UNKNOWN for cell in _cells(table, LICENCE_COLUMNS))
    credit = _frequent(filter(None, _cells(table, CREDIT_COLUMNS)))
    return Licence("; ".join(licences) or UNKNOWN, "; ".join(credit))


def _cells(table: LabelTable, columns: Sequence[str]) -> Iterator[str]:
    """Yield what each row has in the first of these columns that the table has."""
    column = next((name for name in columns if name in table.columns), None)
    if column is not None:
        yield from (row.cells[column] for row in table.rows)


def _frequent(texts: Iterator[str]) -> list[str]:
    return [text for text, _ in Counter(texts).most_common()]
