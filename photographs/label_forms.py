"""The table forms of labelled photographs, each read into the same rows. A file may still turn out to be missing."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import Final

from core.errors import InputRefusedError, UnknownClassError
from core.taxonomy import CLASS_CODES, parse_class
from photographs.label_table import LabelRow, LabelTable, read_table
from photographs.labelled import LabelledImage

PICTURE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"})

OWN_COLUMNS: Final = ("id", "class", "lesion_id", "path")
HAM_COLUMNS: Final = ("lesion_id", "image_id", "dx")
ISIC_COLUMNS: Final = ("image", *CLASS_CODES)
CSV_COLUMNS: Final = ("path", "class")

PARTS: Final[Mapping[str, str]] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
"""What others call the parts of a data set, in lower case, and what this program calls them."""

_HAM_FOLDER: Final = re.compile(r"images|ham10000_images(_part_?[12])?")


Found = tuple[list[LabelledImage], tuple[str, ...]]
"""The images of a data set, and what a person should know."""


def read_own_table(tables: Sequence[Path]) -> Found:
    """Read `labels.csv`: id, class, lesion_id, path and maybe split."""
    table = read_table(tables[0])
    table.require(OWN_COLUMNS)
    return [_own_image(table, row) for row in table.rows], table.notes


def read_csv(tables: Sequence[Path]) -> Found:
    """Read a table of path, class, maybe group and maybe split; an image's id is its path."""
    table = read_table(tables[0])
    table.require(CSV_COLUMNS)
    return [_csv_image(table, row) for row in table.rows], table.notes


def read_ham10000(tables: Sequence[Path]) -> Found:
    """Read HAM10000's metadata; the photographs lie beside the table or one folder above it."""
    table = read_table(tables[0])
    table.require(HAM_COLUMNS)
    pictures = _PictureIndex(_ham_folders(table.path))
    images = [
        LabelledImage(name, _class(table, row, "dx"), row.cells["lesion_id"] or name, "", pictures.find(name))
        for row in table.rows
        for name in [_picture_name(table, row, "image_id")]
    ]
    return images, table.notes


def read_isic2018(tables: Sequence[Path]) -> Found:
    """Read the one-hot tables of ISIC 2018 Task 3; with several, each is the part that its name says."""
    read = [read_table(table) for table in tables]
    images = [image for table in read for image in _isic_images(table, len(tables) > 1)]
    return images, tuple(note for table in read for note in table.notes)


def _own_image(table: LabelTable, row: LabelRow) -> LabelledImage:
    name = _cell(table, row, "id")
    path = _inside(table, row, _cell(table, row, "path"))
    part = _part(table, row)
    return LabelledImage(name, _class(table, row, "class"), row.cells["lesion_id"] or name, part, path)


def _csv_image(table: LabelTable, row: LabelRow) -> LabelledImage:
    path = _inside(table, row, _cell(table, row, "path"))
    name = path.relative_to(_absolute(table.path.parent)).as_posix()
    return LabelledImage(name, _class(table, row, "class"), row.cells.get("group") or name, _part(table, row), path)


def _isic_images(table: LabelTable, several: bool) -> Iterator[LabelledImage]:
    table.require(ISIC_COLUMNS)
    folder = _input_folder(table.path)
    lesions = _lesion_groups(table.path)
    pictures = _PictureIndex([folder])
    part = _part_of_name(table.path.stem) if several else ""
    for row in table.rows:
        name = _picture_name(table, row, "image")
        yield LabelledImage(name, _hot_class(table, row), lesions.get(name, name), part, pictures.find(name))


class _PictureIndex:
    """The pictures of some folders by name without suffix; of several with one name the first by folder and name."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._home = folders[0]
        self._paths: dict[str, Path] = {}
        for path in (file for folder in folders for file in sorted(folder.iterdir())):
            if path.suffix.lower() in PICTURE_SUFFIXES:
                self._paths.setdefault(path.stem.lower(), path)

    def find(self, name: str) -> Path:
        """Return the picture's file, or where it would lie."""
        return self._paths.get(name.lower(), self._home / f"{name}.jpg")


def _ham_folders(table: Path) -> list[Path]:
    found = _folders_near(table, lambda name: _HAM_FOLDER.fullmatch(name) is not None)
    if not found:
        raise InputRefusedError(
            f"There is no folder of photographs beside {table}.",
            remedy="Expected is images/, or HAM10000_images_part_1 and HAM10000_images_part_2.",
            path=table,
        )
    return found


def _input_folder(table: Path) -> Path:
    stem = table.stem.lower().removesuffix("_groundtruth")
    found = _folders_near(table, lambda name: name == f"{stem}_input")
    found = found or _folders_near(table, lambda name: name.endswith("_input"))
    if len(found) != 1:
        raise InputRefusedError(
            f"Beside {table}, where its photographs should lie, are the *_Input folders: "
            f"{', '.join(folder.name for folder in found) or 'none'}.",
            remedy=f"Expected is {table.stem.removesuffix('_GroundTruth')}_Input beside the table.",
            path=table,
        )
    return found[0]


def _folders_near(table: Path, fits: Callable[[str], bool]) -> list[Path]:
    """Return the fitting folders beside a table, or else beside its folder, sorted."""
    home = _absolute(table.parent)
    for place in (home, home.parent):
        found = sorted(child for child in place.iterdir() if child.is_dir() and fits(child.name.lower()))
        if found:
            return found
    return []


def _lesion_groups(table: Path) -> dict[str, str]:
    """Return the lesion of each image from the organisers' `*_LesionGroupings.csv`, if it lies beside the table."""
    stem = table.stem.lower().removesuffix("_groundtruth")
    wanted = f"{stem}_lesiongroupings.csv"
    home = _absolute(table.parent)
    files = [file for place in (home, home.parent) for file in sorted(place.iterdir()) if file.name.lower() == wanted]
    if not files:
        return {}
    groups = read_table(files[0])
    groups.require(("image", "lesion_id"))
    return {
        _without_suffix(row.cells["image"]): row.cells["lesion_id"] for row in groups.rows if row.cells["lesion_id"]
    }


def _hot_class(table: LabelTable, row: LabelRow) -> str:
    hot = [code for code in CLASS_CODES if _number(table, row, code.lower()) > 0.5]
    if len(hot) != 1:
        raise _refused(table, row, f"marks {' and '.join(hot) or 'no class'}", "Mark exactly one class with 1.")
    return hot[0]


def _number(table: LabelTable, row: LabelRow, column: str) -> float:
    text = row.cells[column]
    try:
        return float(text)
    except ValueError as error:
        raise _refused(table, row, f"has '{text}' for a number", "Write 0 or 1 for each class.") from error


def _class(table: LabelTable, row: LabelRow, column: str) -> str:
    text = row.cells[column]
    try:
        return parse_class(text)
    except UnknownClassError as error:
        known = f"The classes are {', '.join(CLASS_CODES)}; correct the cell or remove the row."
        raise _refused(table, row, f"names the class '{text}', which is none of the seven", known) from error


def _cell(table: LabelTable, row: LabelRow, column: str) -> str:
    text = row.cells[column]
    if not text:
        raise _refused(table, row, f"has an empty cell '{column}'", "Fill the cell or remove the row.")
    return text


def _picture_name(table: LabelTable, row: LabelRow, column: str) -> str:
    name = _without_suffix(_cell(table, row, column))
    if "/" in name or "\\" in name:
        raise _refused(table, row, f"names '{name}', which is a path", "Name the picture alone, without folders.")
    return name


def _part(table: LabelTable, row: LabelRow) -> str:
    text = row.cells.get("split", "")
    if text and text.lower() not in PARTS:
        raise _refused(table, row, f"names the part '{text}'", "The parts are train, val and test.")
    return PARTS[text.lower()] if text else ""


def _part_of_name(stem: str) -> str:
    words = stem.lower().split("_")
    return next((PARTS[word] for word in words if word in PARTS), "")


def _inside(table: LabelTable, row: LabelRow, text: str) -> Path:
    """Return the file that a cell names, which may use either slash, and which lies in the table's folder.

    Links are followed, as the owner of the folder put them there; `..` and absolute paths that lead outside are not.
    """
    home = _absolute(table.path.parent)
    path = _absolute(home / text.replace("\\", "/"))
    foreign = os.name != "nt" and PureWindowsPath(text).drive
    if foreign or not path.is_relative_to(home) or path == home:
        problem = f"names '{text}', which does not lie in the table's folder"
        raise _refused(table, row, problem, "Move the photographs into the folder, and name them relative to it.")
    return path


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


def _without_suffix(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in PICTURE_SUFFIXES else name


def _refused(table: LabelTable, row: LabelRow, problem: str, remedy: str) -> InputRefusedError:
    return InputRefusedError(f"Line {row.line} of {table.path} {problem}.", remedy=remedy, path=table.path)
