"""HAM10000 as Harvard Dataverse and Kaggle give it away, its test set included."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.errors import InputRefusedError
from core.message import Message
from photographs.diagnoses import Named
from photographs.label_forms import LABEL_FORMS, FolderContents, Found, LabelForm
from photographs.label_table import read_table
from photographs.labelled import LabelledImage
from photographs.rows import PictureIndex, class_cell, folders_near, picture_name

COLUMNS: Final = ("lesion_id", "image_id", "dx")
_TABLE: Final = re.compile(r"ham10000_metadata(\.csv|\.tab)?|isic2018_task3_test_groundtruth\.(csv|tab)")
_FOLDER: Final = re.compile(r"images|ham10000_images(_part_?[12])?")
_TEST_FOLDER: Final = re.compile(r"isic2018_task3_test_(images|input)")


def read_ham10000(tables: Sequence[Path]) -> Found:
    """Read the metadata; the photographs are next to the table or one folder above it."""
    images: list[LabelledImage] = []
    notes: list[str] = []
    named = Named()
    for path in tables:
        table = read_table(path)
        table.require(COLUMNS)
        pictures = PictureIndex.of_folders(_folders(path))
        part = "test" if len(tables) > 1 and _is_test(path) else ""
        for row in table.rows:
            code = class_cell(table, row, "dx", named)
            if code is not None:
                name = picture_name(table, row, "image_id")
                images.append(LabelledImage(name, code, row.cells["lesion_id"] or name, part, pictures.find(name)))
        notes += table.notes
    return images, (*notes, *named.notes)


def _find(contents: FolderContents) -> Sequence[Path]:
    tables = [table for table in contents.tables if _TABLE.fullmatch(table.name.lower())]
    fitting = [table for table in tables if set(COLUMNS) <= contents.columns(table)]
    main = [table for table in fitting if not _is_test(table)][:1]
    return main + [table for table in fitting if _is_test(table)][:1]


def _is_test(table: Path) -> bool:
    return "_test_" in table.name.lower()


def _folders(table: Path) -> list[Path]:
    wanted = _TEST_FOLDER if _is_test(table) else _FOLDER
    found = folders_near(table, lambda name: wanted.fullmatch(name) is not None)
    if not found:
        raise InputRefusedError(
            Message("There is no folder of photographs next to {table}.", table=table),
            remedy=(
                Message(
                    "Expected: images/, or HAM10000_images_part_1 and HAM10000_images_part_2; for the test "
                    "set ISIC2018_Task3_Test_Images."
                )
            ),
            path=table,
        )
    inner = [folder / folder.name for folder in found if (folder / folder.name).is_dir()]  # as archives unpack
    return [*found, *inner]


LABEL_FORMS.add(
    LabelForm(
        "ham10000",
        "HAM10000",
        "HAM10000_metadata.csv with images/ or HAM10000_images_part_1 and _2, and maybe its test set.",
        _find,
        read_ham10000,
        columns=COLUMNS,
    )
)
