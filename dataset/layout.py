"""Where things are in an output folder, how image files are named, and what of it is the program's own."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.files.folder_lock import check_lock_files
from core.files.own import check_own_file, own_file, require_own
from core.files.walking import EXPLANATIONS_DIR
from core.taxonomy import CLASS_CODES

CSV_NAME: Final = "synthetic_dataset.csv"
STATE_DIR: Final = ".isicgui"
TRAJECTORIES_DIR: Final = "trajectories"

MAX_STARS: Final = 5

MAX_NUMBER: Final = 999_999_999_999
"""Of an image: what is read back as one has seven to twelve digits."""

_IMAGE_NAME: Final = re.compile(r"ISIC_(\d{7,12})(?:\.jpe?g)?\.png", re.IGNORECASE)
_NUMBERED_NAME: Final = re.compile(r"ISIC_(\d{7,12})\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths inside one output folder."""

    folder: Path

    @property
    def table(self) -> Path:
        """`synthetic_dataset.csv`."""
        return self.folder / CSV_NAME

    @property
    def state(self) -> Path:
        """The program's own folder."""
        return self.folder / STATE_DIR

    @property
    def journal(self) -> Path:
        """The append-only journal."""
        return self.state / "journal.jsonl"

    @property
    def temporary(self) -> Path:
        """All temporary files; removed at open and at the end of a run."""
        return self.state / "tmp"

    @property
    def inputs(self) -> Path:
        """Pictures and masks that images began from, named by their SHA-256."""
        return self.state / "inputs"

    @property
    def ratings(self) -> Path:
        """What a person thinks of the images."""
        return self.state / "ratings.jsonl"

    @property
    def trash(self) -> Path:
        """What was deleted: a folder for each deletion, built like an output folder."""
        return self.state / "trash"

    def trashed(self, trash_id: str) -> Layout:
        """Return the paths inside the folder of a deletion."""
        return Layout(self.trash / trash_id)

    def image(self, key: tuple[str, str]) -> Path:
        """Return the file of an image, given its class and file name."""
        return self.folder.joinpath(*key)

    def class_dir(self, class_code: str) -> Path:
        """Return the folder of a class's images."""
        return self.folder / class_code

    @property
    def trajectories(self) -> Path:
        """The denoising trajectories, a folder for each class."""
        return self.folder / TRAJECTORIES_DIR

    @property
    def explanations(self) -> Path:
        """What explains the images."""
        return self.folder / EXPLANATIONS_DIR

    def trajectory(self, class_code: str, stem: str) -> Path:
        """Return the file with the denoising trajectory of an image."""
        return self.trajectories / class_code / f"{stem}.npz"


def image_number(file_name: str) -> int | None:
    """Return the number of an image file, or None if it is not named as one (``.jpg.png`` of old versions is)."""
    match = _IMAGE_NAME.fullmatch(file_name)
    return int(match[1]) if match else None


def taken_number(file_name: str) -> int | None:
    """Return the number that a file of any kind occupies (image, sidecar, picture put there by hand), or None."""
    match = _NUMBERED_NAME.match(file_name)
    return int(match[1]) if match else None


Names = Mapping[str, frozenset[str]]


def file_names(layout: Layout) -> Names:
    """Return the names of the files in each class folder."""
    return {code: _names_in(layout.class_dir(code)) for code in CLASS_CODES}


def taken_names(layout: Layout) -> Names:
    """Return, for each class, the names of whatever is in its folder and in that of its trajectories.

    Files, folders, pipes and links, also those to nothing: none of them is written over.
    """
    return {code: _all_in(layout.class_dir(code)) | _all_in(layout.trajectories / code) for code in CLASS_CODES}


def strangers_in(layout: Layout, names: Names, known: Container[tuple[str, str]]) -> Iterator[tuple[str, Path, int]]:
    """Yield class, path and number of every file that is named as an image and not among the known ones, in order."""
    for code, present in names.items():
        for name in sorted(present):
            number = image_number(name)
            if number is not None and (code, name) not in known:
                yield code, layout.class_dir(code) / name, number


def _names_in(folder: Path) -> frozenset[str]:
    try:
        with os.scandir(folder) as entries:
            return frozenset(entry.name for entry in entries if _is_file(entry))
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()


def _all_in(folder: Path) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that leads to itself
        return False


def check_own_paths(layout: Layout) -> None:
    """Refuse a folder in which one of the program's own paths is a link, or leads to another kind of thing.

    Nothing is opened, made or changed. The output folder itself may be a link.

    Raises
    ------
    ForeignPathError
        If one is; it is named.
    """
    for folder in _folders(layout):
        require_own(layout.folder, folder)
    for file in (layout.journal, layout.ratings, layout.table):
        check_own_file(layout.folder, file)
    check_lock_files(layout.state)


def part_from_other_names(layout: Layout) -> None:
    """Give the files that are appended to a content of their own, where a back-up tool keeps them under a second name.

    The lock is held: nobody else appends meanwhile.
    """
    for file in (layout.journal, layout.ratings, layout.table):
        own_file(layout.folder, file)


def check_trashed(layout: Layout, place: Layout) -> None:
    """Refuse the folder of a deletion, and what it moves from and to, if one of them is a link.

    Raises
    ------
    ForeignPathError
        If one is; it is named.
    """
    for folder in (*trashed_folders(place), *_content(layout)):
        require_own(layout.folder, folder)


def trashed_folders(place: Layout) -> tuple[Path, ...]:
    """Return the folders that a deletion may have in the trash, inner ones first."""
    return tuple(reversed((place.folder, *_content(place))))


def _folders(layout: Layout) -> Iterator[Path]:
    yield from (layout.state, layout.temporary, layout.inputs, layout.trash, layout.explanations)
    yield from _content(layout)
    for trash_id in _names(layout.trash):
        yield from trashed_folders(layout.trashed(trash_id))


def _content(layout: Layout) -> Iterator[Path]:
    yield layout.trajectories
    for code in CLASS_CODES:
        yield from (layout.class_dir(code), layout.trajectories / code)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
