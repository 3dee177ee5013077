"""What the cells of a row of labels say: class, file, part and name; and the pictures of some folders by name."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PureWindowsPath

from core.errors import InputRefusedError
from core.message import Message
from core.taxonomy import CLASS_CODES
from photographs.diagnoses import Named, is_other_diagnosis
from photographs.files import PICTURE_SUFFIXES, find_photographs, is_picture
from photographs.label_table import LabelRow, LabelTable
from photographs.labelled import PARTS


def class_cell(table: LabelTable, row: LabelRow, column: str, named: Named) -> str | None:
    """Return the class that a cell names; None, and counted, for a diagnosis that is none of the seven.

    Raises
    ------
    InputRefusedError
        If the cell is empty, or names what is no diagnosis that is known.
    """
    text = cell(table, row, column)
    code = named.code(text)
    if code is None and not is_other_diagnosis(text):
        known = f"The classes are {', '.join(CLASS_CODES)}; correct the cell or remove the row."
        raise refused(table, row, f"names the class '{text}', which is none of the seven", known)
    return code


def cell(table: LabelTable, row: LabelRow, column: str) -> str:
    """Return a cell that must not be empty; raises InputRefusedError."""
    text = row.cells[column]
    if not text:
        raise refused(table, row, f"has an empty cell '{column}'", "Fill the cell or remove the row.")
    return text


def picture_name(table: LabelTable, row: LabelRow, column: str) -> str:
    """Return the name of a picture without its suffix; a path is refused."""
    name = without_suffix(cell(table, row, column))
    if "/" in name or "\\" in name:
        raise refused(table, row, f"names '{name}', which is a path", "Name the picture alone, without folders.")
    return name


def part_cell(table: LabelTable, row: LabelRow) -> str:
    """Return the part of the data set that a row belongs to, "" for none; other names than the known are refused."""
    text = row.cells.get("split", "")
    if text and text.lower() not in PARTS:
        raise refused(table, row, f"names the part '{text}'", "The parts are train, val and test.")
    return PARTS[text.lower()] if text else ""


def part_of_name(stem: str) -> str:
    """Return the part that a file's name speaks of, "" for none."""
    words = stem.lower().split("_")
    return next((PARTS[word] for word in words if word in PARTS), "")


class Home:
    """The folder that the paths of a table are relative to; listings are read once.

    Parameters
    ----------
    folder
        From the root.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = absolute(folder)
        self._folders: dict[Path, dict[str, list[str]]] = {}

    def file(self, table: LabelTable, row: LabelRow, text: str) -> Path:
        """Return the file that a cell names, which may use either slash, and which is in this folder.

        Links are followed, as the owner of the folder put them there; `..` and absolute paths that lead outside are
        not. A path that differs from what is there in case or suffix only is that of the file that is there.

        Raises
        ------
        InputRefusedError
            If the path leads outside.
        """
        path = absolute(self.folder / text.replace("\\", "/"))
        foreign = os.name != "nt" and PureWindowsPath(text).drive
        if foreign or not path.is_relative_to(self.folder) or path == self.folder:
            problem = f"names '{text}', which does not lie in the table's folder"
            raise refused(table, row, problem, "Move the photographs into the folder, and name them relative to it.")
        return self.there(path)

    def name(self, path: Path) -> str:
        """Return a file's path inside this folder, with slashes."""
        return path.relative_to(self.folder).as_posix()

    def there(self, path: Path) -> Path:
        """Return the one file that a path means, or the path as it is."""
        if os.path.lexists(path):
            return path
        place = self.folder
        *folders, name = path.relative_to(self.folder).parts
        for folder in folders:
            same = self._names(place).get(folder.lower(), [])
            if len(same) != 1:
                return path
            place /= same[0]
        names = self._names(place)
        stem = without_suffix(name).lower()
        others = [found for suffix in sorted(PICTURE_SUFFIXES) for found in names.get(f"{stem}{suffix}", [])]
        for fitting in (names.get(name.lower(), []), others):
            if len(fitting) == 1:
                return place / fitting[0]
        return path

    def _names(self, folder: Path) -> dict[str, list[str]]:
        if folder not in self._folders:
            names: dict[str, list[str]] = {}
            for name in _listing(folder):
                names.setdefault(name.lower(), []).append(name)
            self._folders[folder] = names
        return self._folders[folder]


class PictureIndex:
    """The pictures of some folders by name without suffix; of several with one name the first by folder and name."""

    def __init__(self, folders: Sequence[Path], files: Iterable[Path]) -> None:
        self._home = folders[0]
        self._repeated: frozenset[str] = frozenset()
        self._paths: dict[str, Path] = {}
        for path in files:
            self._paths.setdefault(path.stem.lower(), path)

    @classmethod
    def of_folders(cls, folders: Sequence[Path]) -> PictureIndex:
        """Return the pictures that are in these folders themselves."""
        files = (file for folder in folders for file in sorted(folder.iterdir()) if is_picture(file.name))
        return cls(folders, files)

    @classmethod
    def below(cls, folder: Path) -> PictureIndex:
        """Return the photographs anywhere below a folder; raises InputRefusedError if two share a name."""
        found = find_photographs(folder).files
        repeated = [name for name, count in Counter(path.stem.lower() for path in found).items() if count > 1]
        index = cls([folder], found)
        index._repeated = frozenset(repeated)
        return index

    def find(self, name: str) -> Path:
        """Return the picture's file, or where it would lie.

        `X_downsampled`, as ISIC 2019 names scaled pictures, is found under `X` as well, and the other way round.

        Raises
        ------
        InputRefusedError
            If several pictures below the folder have that name.
        """
        wanted = name.lower()
        bare = wanted.removesuffix("_downsampled")
        for one in (wanted, bare, f"{bare}_downsampled"):
            if one in self._repeated:
                raise InputRefusedError(
                    Message("Several photographs below {folder} are called {name}.", folder=self._home, name=name),
                    remedy=Message("Keep one of them, so that the table is unambiguous."),
                    path=self._home,
                )
            if one in self._paths:
                return self._paths[one]
        return self._home / f"{name}.jpg"


def folders_near(table: Path, fits: Callable[[str], bool]) -> list[Path]:
    """Return the fitting folders beside a table, or else beside its folder, sorted."""
    home = absolute(table.parent)
    for place in (home, home.parent):
        found = sorted(child for child in place.iterdir() if child.is_dir() and fits(child.name.lower()))
        if found:
            return found
    return []


def absolute(path: Path) -> Path:
    """Return a path from the root, links as they are."""
    return Path(os.path.abspath(path))


def without_suffix(name: str) -> str:
    """Return a name without the suffix of a picture."""
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in PICTURE_SUFFIXES else name


def refused(table: LabelTable, row: LabelRow, problem: str, remedy: str) -> InputRefusedError:
    """Return the refusal of a table because of one of its rows."""
    return InputRefusedError(
        Message("Line {line} of {path} {problem}.", line=row.line, path=table.path, problem=problem),
        remedy=remedy,
        path=table.path,
    )


def _listing(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
