"""The two files of a folder's lock: what they are called, and whether they may be touched."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from core.files.own import ForeignPathError, check_own_file
from core.message import Message

LOCK_FILE: Final = "lock"
HOLDER_FILE: Final = "lock.json"


def check_lock_files(folder: Path) -> None:
    """Refuse a folder whose lock files are not the program's own; nothing is touched.

    Taking a lock may empty its file, so one that holds something and has another name elsewhere is refused: it cannot
    be replaced, because another process may hold it. The program itself writes nothing into it.

    Raises
    ------
    ForeignPathError
        If one is a link or no regular file, or the lock is such a file.
    """
    check_own_file(folder, folder / HOLDER_FILE)
    found = check_own_file(folder, folder / LOCK_FILE)
    if found is not None and found.st_nlink > 1 and found.st_size:
        path = folder / LOCK_FILE
        raise ForeignPathError(
            Message("'{path}' is a file of another program; the program keeps a lock there.", path=path),
            remedy=Message("Move it away, or choose another folder."),
            path=path,
        )
