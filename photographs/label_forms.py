"""The forms of labels: one entry for each, in `photographs.forms`; how a folder or a table is recognised as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from core.errors import InputRefusedError
from core.registry import Column, Registry
from photographs.label_table import read_columns
from photographs.labelled import LabelledImage

Found = tuple[list[LabelledImage], tuple[str, ...]]
"""The images of a data set, and what a person should know."""

OWN, METADATA, USUAL, LAST = range(4)
"""Ranks: forms of a lower one decide, whatever else a folder holds; two forms of one rank are ambiguous."""


@dataclass
class FolderContents:
    """The contents of a folder that may hold labelled photographs.

    Attributes
    ----------
    children
        Files and folders in it, by name.
    tables
        Its tables, and those of the sub-folders in which the official archives keep theirs.
    """

    folder: Path
    children: list[Path]
    tables: list[Path]
    _columns: dict[Path, frozenset[str]] = field(default_factory=dict)

    def columns(self, table: Path) -> frozenset[str]:
        """Return the column names of a table, in lower case."""
        if table not in self._columns:
            self._columns[table] = frozenset(read_columns(table))
        return self._columns[table]

    def with_columns(self, wanted: Sequence[str]) -> list[Path]:
        """Return the tables that have all of these columns."""
        return [table for table in self.tables if {name.lower() for name in wanted} <= self.columns(table)]


@dataclass(frozen=True, slots=True)
class LabelForm:
    """One form of labelled photographs.

    Attributes
    ----------
    key
        Its name in events, cards and tables.
    title, hint
        Its name for people; one sentence about what belongs to it, ending with a full stop.
    find
        What of a folder has this form: its tables, or the folder itself; nothing if it has not.
    read
        From there to the images.
    columns
        Those by which a table that is named itself is recognised; () where it is not by columns.
    rank
        Which form decides where a folder has several.
    terms
        Whether its table may name licence and credit row by row.
    """

    key: str
    title: str
    hint: str
    find: Callable[[FolderContents], Sequence[Path]]
    read: Callable[[Sequence[Path]], Found]
    columns: tuple[str, ...] = ()
    rank: int = USUAL
    terms: bool = False


LABEL_FORMS: Final[Registry[LabelForm]] = Registry(
    "form of labels",
    "forms of labels",
    home="photographs.forms",
    columns=(Column("Columns", lambda form: ", ".join(f"`{name}`" for name in form.columns)),),
)


class UnknownFormError(InputRefusedError):
    """A folder without labels in any of the forms; it may still contain photographs."""


def contents_of(folder: Path) -> FolderContents:
    """Return the contents of a folder."""
    children = sorted(folder.iterdir())
    inside = [child for child in children if child.is_dir() and _keeps_tables(child.name.lower())]
    files = [*children, *(file for child in inside for file in sorted(child.iterdir()))]
    return FolderContents(folder, children, [file for file in files if _is_table(file)])


def expected() -> str:
    """Return one sentence that says what labels are read."""
    return f"Expected is one of: {'; '.join(form.hint.rstrip('.') for form in LABEL_FORMS.values())}."


def _keeps_tables(name: str) -> bool:
    return name in ("metadata", "meta") or name.endswith("_groundtruth")


def _is_table(file: Path) -> bool:
    named = file.suffix.lower() in (".csv", ".tsv", ".tab") or file.name.lower() == "ham10000_metadata"
    return named and not file.name.startswith(".") and file.is_file()
