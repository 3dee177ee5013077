"""`metadata.csv` of the ISIC archive, and the table of ISIC 2020: diagnoses in words, photographs by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from core.message import Message
from photographs.diagnoses import Named, class_of
from photographs.label_forms import LABEL_FORMS, FolderContents, Found, LabelForm
from photographs.label_table import LabelRow, LabelTable, read_table
from photographs.labelled import LabelledImage
from photographs.rows import PictureIndex, absolute, picture_name

ARCHIVE_COLUMNS: Final = ("isic_id",)
ISIC2020_COLUMNS: Final = ("image_name", "diagnosis")
_LEVELS: Final = ("diagnosis_5", "diagnosis_4", "diagnosis_3", "diagnosis_2", "diagnosis")
"""From the most to the least precise; the first level (benign or malignant) names no class."""

_DERMOSCOPIC: Final = ("dermoscopic", "dermoscopy")


def read_archive(tables: Sequence[Path]) -> Found:
    """Read the archive's table: isic_id, diagnosis or diagnosis_1 to 5, maybe lesion_id and image_type."""
    return _read(tables[0], ARCHIVE_COLUMNS, _archive_diagnosis)


def read_isic2020(tables: Sequence[Path]) -> Found:
    """Read the table of 2020: image_name, diagnosis, maybe lesion_id; most benign lesions have no diagnosis."""
    return _read(tables[0], ISIC2020_COLUMNS, lambda row: row.cells["diagnosis"])


def _read(path: Path, columns: Sequence[str], diagnosis: Callable[[LabelRow], str]) -> Found:
    table = read_table(path)
    table.require(columns)
    named = Named()
    clinical = [row for row in table.rows if not _is_dermoscopic(row)]
    images = list(_images(table, columns[0], diagnosis, named))
    notes: list[str] = [*table.notes, *named.notes]
    if clinical:
        notes.append(
            Message("No dermoscopic photographs by their image_type and left out: %n row(s).", n=len(clinical))
        )
    return images, tuple(notes)


def _images(
    table: LabelTable, column: str, diagnosis: Callable[[LabelRow], str], named: Named
) -> Iterator[LabelledImage]:
    pictures = PictureIndex.below(absolute(table.path.parent))
    for row in filter(_is_dermoscopic, table.rows):
        code = named.code(diagnosis(row))
        if code is not None:
            name = picture_name(table, row, column)
            yield LabelledImage(name, code, row.cells.get("lesion_id") or name, "", pictures.find(name))


def _is_dermoscopic(row: LabelRow) -> bool:
    kind = row.cells.get("image_type", "")
    return not kind or kind.lower() in _DERMOSCOPIC


def _archive_diagnosis(row: LabelRow) -> str:
    """Return the most precise diagnosis that is one of the seven classes, or else the most precise one."""
    levels = [row.cells[level] for level in _LEVELS if row.cells.get(level)]
    return next((text for text in levels if class_of(text)), levels[0] if levels else "")


def _find_archive(contents: FolderContents) -> Sequence[Path]:
    return [
        table for table in contents.with_columns(ARCHIVE_COLUMNS) if contents.columns(table) & {*_LEVELS, "diagnosis_1"}
    ][:1]


LABEL_FORMS.add(
    LabelForm(
        "isic-archive",
        "ISIC archive",
        "the archive's metadata.csv (isic_id and diagnosis, or diagnosis_1 to 5) next to or above its photographs.",
        _find_archive,
        read_archive,
        columns=ARCHIVE_COLUMNS,
        terms=True,
    )
)
LABEL_FORMS.add(
    LabelForm(
        "isic2020",
        "ISIC 2020",
        "the ISIC 2020 table (image_name, diagnosis) next to or above its photographs (unknown is left out).",
        lambda contents: contents.with_columns(ISIC2020_COLUMNS)[:1],
        read_isic2020,
        columns=ISIC2020_COLUMNS,
    )
)
