"""Images that were moved to the trash together, as the journal remembers them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final, Literal

from core.dataset.record import ImageRecord
from core.taxonomy import CLASS_INDEX

Key = tuple[str, str]
"""Class code and file name."""

Wish = Literal["trash", "restore", "empty"]

_TRASH_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_GIVEN_ID: Final = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")


@dataclass(eq=False)
class Deletion:
    """One deletion: what undo brings back in one go.

    Attributes
    ----------
    trash_id
        Name of its folder in the trash; begins with the time (UTC) of the deletion.
    files
        What lies there.
    records
        What is known of those that are images of this program or of its predecessor.
    wish
        What was decided and is not yet carried out; None once the files are where they belong.
    """

    trash_id: str
    files: tuple[Key, ...]
    records: dict[Key, ImageRecord] = field(default_factory=dict)
    wish: Wish | None = "trash"


def files_to_json(files: Iterable[Key]) -> dict[str, list[str]]:
    """Return files as a journal line's content: the names by class."""
    names: dict[str, list[str]] = {}
    for code, name in files:
        names.setdefault(code, []).append(name)
    return names


def files_from_json(data: Mapping[str, Sequence[str]]) -> tuple[Key, ...]:
    """Rebuild what `files_to_json` wrote.

    Raises
    ------
    ValueError, TypeError, AttributeError
        If a class is unknown, or a name leads to another folder.
    """
    return tuple(_checked(code, name) for code, names in data.items() for name in names)


def is_given_id(name: str) -> bool:
    """Whether a folder is named as this program names a deletion: by its time and six digits."""
    return _GIVEN_ID.fullmatch(name) is not None


def checked_id(trash_id: str) -> str:
    """Return a trash id that is safe as a folder name.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not _TRASH_ID.fullmatch(trash_id):
        raise ValueError(f"No trash id: {trash_id!r}")
    return trash_id


def _checked(code: str, name: str) -> Key:
    plain = name not in ("", ".", "..") and PurePosixPath(name).name == name == PureWindowsPath(name).name
    if code not in CLASS_INDEX or not plain:
        raise ValueError(f"No file of a class folder: {code}/{name}")
    return code, name
