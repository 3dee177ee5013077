"""This program's own table, and any table of paths and classes that is named itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from core.message import Message
from photographs.diagnoses import Named
from photographs.label_forms import LABEL_FORMS, OWN, FolderContents, Found, LabelForm
from photographs.label_table import LabelRow, LabelTable, read_table
from photographs.labelled import LABELS_FILE, LabelledImage
from photographs.rows import Home, cell, class_cell, part_cell

OWN_COLUMNS: Final = ("id", "class", "lesion_id", "path")
CSV_COLUMNS: Final = ("path", "class")

_Image = Callable[[LabelTable, LabelRow, str, Home], LabelledImage]


def read_own_table(tables: Sequence[Path]) -> Found:
    """Read `labels.csv`: id, class, lesion_id, path and maybe split."""
    return _read(tables[0], OWN_COLUMNS, _own_image)


def read_csv(tables: Sequence[Path]) -> Found:
    """Read a table of path, class, maybe group and maybe split; an image's id is its path."""
    return _read(tables[0], CSV_COLUMNS, _csv_image)


def _read(path: Path, columns: Sequence[str], image: _Image) -> Found:
    table = read_table(path)
    table.require(columns)
    named = Named()
    images = list(_images(table, named, image))
    return images, (*table.notes, *named.notes)


def _images(table: LabelTable, named: Named, image: _Image) -> Iterator[LabelledImage]:
    home = Home(table.path.parent)
    for row in table.rows:
        code = class_cell(table, row, "class", named)
        if code is not None:
            yield image(table, row, code, home)


def _own_image(table: LabelTable, row: LabelRow, code: str, home: Home) -> LabelledImage:
    name = cell(table, row, "id")
    path = home.file(table, row, cell(table, row, "path"))
    return LabelledImage(name, code, row.cells["lesion_id"] or name, part_cell(table, row), path)


def _csv_image(table: LabelTable, row: LabelRow, code: str, home: Home) -> LabelledImage:
    path = home.file(table, row, cell(table, row, "path"))
    name = home.name(path)
    lesion = row.cells.get("group") or row.cells.get("lesion_id") or name
    return LabelledImage(name, code, lesion, part_cell(table, row), path)


def _find_own(contents: FolderContents) -> Sequence[Path]:
    table = contents.folder / LABELS_FILE
    return (table,) if table.is_file() else ()


LABEL_FORMS.add(
    LabelForm(
        "labels.csv",
        Message("Own table"),
        f"{LABELS_FILE} with the columns {', '.join(OWN_COLUMNS)} (path relative to the table) and maybe split.",
        _find_own,
        read_own_table,
        columns=OWN_COLUMNS,
        rank=OWN,
        terms=True,
    )
)
LABEL_FORMS.add(
    LabelForm(
        "csv",
        Message("Table of paths"),
        f"a CSV file with the columns {', '.join(CSV_COLUMNS)}, and maybe group (the lesion) and split, named itself.",
        lambda contents: (),
        read_csv,
        columns=CSV_COLUMNS,
        terms=True,
    )
)
