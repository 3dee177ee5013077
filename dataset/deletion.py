"""Images that were moved to the trash together, as the journal remembers them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from dataset.record import ImageRecord

Key = tuple[str, str]
"""Class code and file name."""

WindowRequest = Literal["trash", "restore", "empty"]

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
    wish: WindowRequest | None = "trash"


def files_to_json(files: Iterable[Key]) -> dict[str, list[str]]:
    """Return files as a journal line's content: the names by class."""
    names: dict[str, list[str]] = {}
    for code, name in files:
        names.setdefault(code, []).append(name)
    return names


def keys_of(files: Mapping[str, Iterable[str]]) -> tuple[Key, ...]:
    """Return what `files_to_json` wrote, checked by its schema, as keys."""
    return tuple((code, name) for code, names in files.items() for name in names)


def is_given_id(name: str) -> bool:
    """Whether a folder is named as this program names a deletion: by its time and six digits."""
    return _GIVEN_ID.fullmatch(name) is not None
