"""derm7pt (Kawahara et al. 2019): `meta/meta.csv` with a dermoscopic photograph for each case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.errors import InputRefusedError
from core.message import Message
from photographs.diagnoses import Named
from photographs.label_forms import LABEL_FORMS, Found, LabelForm
from photographs.label_table import read_table
from photographs.labelled import LabelledImage
from photographs.rows import Home, absolute, cell

COLUMNS: Final = ("diagnosis", "derm")
_INDEXES: Final = {"train": "train_indexes.csv", "val": "valid_indexes.csv", "test": "test_indexes.csv"}


def read_derm7pt(tables: Sequence[Path]) -> Found:
    """Read the dermoscopic photographs of the cases, and the parts that the makers drew."""
    table = read_table(tables[0])
    table.require(COLUMNS)
    home, named = Home(_images_folder(table.path)), Named()
    parts = _parts(table.path.parent)
    images = []
    for number, row in enumerate(table.rows):
        code = named.code(row.cells["diagnosis"])
        if code is not None:
            path = home.file(table, row, cell(table, row, "derm"))
            name = home.name(path)
            images.append(LabelledImage(name, code, row.cells.get("case_id") or name, parts.get(number, ""), path))
    return images, (*table.notes, *named.notes)


def _images_folder(table: Path) -> Path:
    home = absolute(table.parent)
    for place in (home, home.parent):
        if (place / "images").is_dir():
            return place / "images"
    raise InputRefusedError(
        Message("There is no folder images/ next to or above {table}, the table of derm7pt.", table=table),
        remedy=Message("Keep meta/ and images/ together, as release_v0.zip has them."),
        path=table,
    )


def _parts(folder: Path) -> dict[int, str]:
    """Return the part of each case, by its row from 0; nothing where the index tables are not there."""
    parts: dict[int, str] = {}
    for part, name in _INDEXES.items():
        if (folder / name).is_file():
            indexes = read_table(folder / name)
            indexes.require(("indexes",))
            parts |= {int(float(row.cells["indexes"])): part for row in indexes.rows if row.cells["indexes"]}
    return parts


LABEL_FORMS.add(
    LabelForm(
        "derm7pt",
        "derm7pt",
        "derm7pt's meta/meta.csv (diagnosis, derm) with images/ (its dermoscopic photographs are used).",
        lambda contents: contents.with_columns(COLUMNS)[:1],
        read_derm7pt,
        columns=COLUMNS,
    )
)
