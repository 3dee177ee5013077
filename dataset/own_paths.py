"""The program's own paths in an output folder, checked before anything there is touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from core.files.folder_lock import check_lock_files
from core.files.own import check_own_file, own_file, require_own
from core.taxonomy import CLASS_CODES
from dataset.layout import Layout


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
    yield from (layout.state, layout.temporary, layout.trash, layout.explanations)
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
