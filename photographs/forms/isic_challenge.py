"""The one-hot tables of ISIC 2018 Task 3 and of ISIC 2019."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from core.errors import InputRefusedError
from core.message import Message
from core.taxonomy import CLASS_CODES
from photographs.diagnoses import Named
from photographs.label_forms import LABEL_FORMS, Found, LabelForm
from photographs.label_table import LabelRow, LabelTable, read_table
from photographs.labelled import LabelledImage
from photographs.rows import (
    PictureIndex,
    absolute,
    folders_near,
    part_of_name,
    picture_name,
    refused,
    without_suffix,
)

COLUMNS_2018: Final = ("image", *CLASS_CODES)
COLUMNS_2019: Final = ("image", "MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC")
UNKNOWN: Final = "UNK"
"""Column of ISIC 2019 that marks none of its eight classes; left out of the training table by some copies."""


def read_isic2018(tables: Sequence[Path]) -> Found:
    """Read the tables of 2018; with several, each is the part that its name says."""
    return _read(tables, COLUMNS_2018)


def read_isic2019(tables: Sequence[Path]) -> Found:
    """Read the tables of 2019: AK is AKIEC; squamous cell carcinoma and unknown are counted and left out."""
    return _read(tables, COLUMNS_2019)


def _read(tables: Sequence[Path], columns: Sequence[str]) -> Found:
    read = [read_table(table) for table in tables]
    named = Named()
    images = [image for table in read for image in _images(table, columns, named, several=len(tables) > 1)]
    return images, (*(note for table in read for note in table.notes), *named.notes)


def _images(table: LabelTable, columns: Sequence[str], named: Named, *, several: bool) -> Iterator[LabelledImage]:
    table.require(columns)
    heads = [*columns[1:], *([UNKNOWN] if UNKNOWN.lower() in table.columns else [])]
    pictures = PictureIndex.of_folders([_input_folder(table.path)])
    lesions = _lesions(table.path)
    part = part_of_name(table.path.stem) if several else ""
    for row in table.rows:
        name = picture_name(table, row, "image")
        code = named.code(_hot(table, row, heads))
        if code is not None:
            yield LabelledImage(name, code, lesions.get(name, name), part, pictures.find(name))


def _hot(table: LabelTable, row: LabelRow, heads: Sequence[str]) -> str:
    hot = [head for head in heads if _number(table, row, head.lower()) > 0.5]
    if len(hot) != 1:
        raise refused(table, row, f"marks {' and '.join(hot) or 'no class'}", "Mark exactly one class with 1.")
    return hot[0]


def _number(table: LabelTable, row: LabelRow, column: str) -> float:
    text = row.cells[column]
    try:
        return float(text.replace(",", "."))
    except ValueError as error:
        raise refused(table, row, f"has '{text}' for a number", "Write 0 or 1 for each class.") from error


def _input_folder(table: Path) -> Path:
    stem = table.stem.lower().removesuffix("_groundtruth")
    found = folders_near(table, lambda name: name == f"{stem}_input")
    found = found or folders_near(table, lambda name: name.endswith("_input"))
    if len(found) != 1:
        raise InputRefusedError(
            Message(
                "Next to {table}, where its photographs should be, are the *_Input folders: {name}.",
                table=table,
                name=", ".join(folder.name for folder in found) or "none",
            ),
            remedy=Message("Expected: {stem}_Input next to the table.", stem=table.stem.removesuffix("_GroundTruth")),
            path=table,
        )
    inner = found[0] / found[0].name  # as some archives unpack
    return inner if inner.is_dir() else found[0]


def _lesions(table: Path) -> dict[str, str]:
    """Return the lesion of each image from the organisers' `*_LesionGroupings.csv` or `*_Metadata.csv`, if there."""
    stem = table.stem.lower().removesuffix("_groundtruth")
    wanted = {f"{stem}_lesiongroupings.csv", f"{stem}_metadata.csv"}
    home = absolute(table.parent)
    files = [file for place in (home, home.parent) for file in sorted(place.iterdir()) if file.name.lower() in wanted]
    if not files:
        return {}
    groups = read_table(files[0])
    groups.require(("image", "lesion_id"))
    return {without_suffix(row.cells["image"]): row.cells["lesion_id"] for row in groups.rows if row.cells["lesion_id"]}


LABEL_FORMS.add(
    LabelForm(
        "isic2018",
        "ISIC 2018 Task 3",
        "an ISIC 2018 *_GroundTruth.csv next to its *_Input folder.",
        lambda contents: contents.with_columns(COLUMNS_2018),
        read_isic2018,
        columns=COLUMNS_2018,
    )
)
LABEL_FORMS.add(
    LabelForm(
        "isic2019",
        "ISIC 2019",
        "an ISIC 2019 *_GroundTruth.csv next to its *_Input folder (AK is read as AKIEC, SCC and UNK are left out).",
        lambda contents: contents.with_columns(COLUMNS_2019),
        read_isic2019,
        columns=COLUMNS_2019,
    )
)
