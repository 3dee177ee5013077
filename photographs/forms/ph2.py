"""PH2 (Mendonca et al. 2013): a folder for each photograph, and a table drawn with bars."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.errors import InputRefusedError
from core.files.opening import read_regular
from core.message import Message
from photographs.diagnoses import Named
from photographs.files import is_picture
from photographs.label_forms import LABEL_FORMS, FolderContents, Found, LabelForm
from photographs.labelled import LabelledImage
from photographs.table_text import decode

_TABLE: Final = "ph2_dataset.txt"
_CASE: Final = re.compile(r"IMD\d+", re.IGNORECASE)
_CLASSES: Final = {"0": "common nevus", "1": "atypical nevus", "2": "melanoma"}
_MAX_BYTES: Final = 1024**2


def read_ph2(tables: Sequence[Path]) -> Found:
    """Read the clinical diagnoses; the photographs are those in the `*_Dermoscopic_Image` folders.

    Raises
    ------
    InputRefusedError
        If the table is not there as text, or names no case.
    """
    table = tables[0]
    if table.name.lower() != _TABLE:
        raise InputRefusedError(
            Message("{folder} is PH2 without its table {table}.", folder=table.parent, table="PH2_dataset.txt"),
            remedy=Message("Put PH2_dataset.txt next to 'PH2 Dataset images', as in the archive."),
            path=table,
        )
    pictures = {path.stem.upper(): path for path in _pictures(table.parent)}
    named, images = Named(), []
    for name, diagnosis in _cases(table):
        code = named.code(_CLASSES.get(diagnosis, diagnosis))
        if code is not None:
            path = pictures.get(name, table.parent / f"{name}.bmp")
            images.append(LabelledImage(name, code, name, "", path))
    return images, tuple(named.notes)


def _cases(table: Path) -> list[tuple[str, str]]:
    """Return name and clinical diagnosis of each case."""
    try:
        text = decode(read_regular(table, _MAX_BYTES)).text
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefusedError(
            Message("{path} cannot be read as a table: {why}", path=table, why=error),
            remedy=Message("Copy it again from PH2's archive."),
            path=table,
        ) from error
    rows = [[cell.strip() for cell in re.split(r"\|\||\|", line)] for line in text.splitlines()]
    return [(row[1].upper(), row[3]) for row in rows if len(row) > 3 and _CASE.fullmatch(row[1])]


def _pictures(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*/*/*_Dermoscopic_Image/*")) if is_picture(path.name)]


def _find(contents: FolderContents) -> Sequence[Path]:
    named = [child for child in contents.children if child.name.lower() == _TABLE]
    pictures = [child for child in contents.children if child.is_dir() and child.name.lower() == "ph2 dataset images"]
    return named or pictures


LABEL_FORMS.add(LabelForm("ph2", "PH2", "PH2_dataset.txt next to 'PH2 Dataset images'.", _find, read_ph2))
