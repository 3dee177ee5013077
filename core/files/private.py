"""Files that are nobody's business but their owner's: logs, crash reports, what is gathered for a report.

Where a system has no such permissions (Windows, some drives), the folder's own protection is all there is.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.files.atomic import write_all
from core.files.own import open_own
from core.files.text import plain

FOLDER: Final = 0o700
FILE: Final = 0o600
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner can look into, or make the one that is there so.

    Raises
    ------
    OSError
        If there is none and it cannot be made.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=FOLDER, exist_ok=True)
    _tighten(folder, FOLDER)


def open_private(path: Path, flags: int) -> int:
    """Open a file that only its owner can read and return the descriptor; one that is there is made so.

    Raises
    ------
    OSError
        If it cannot be opened, or is no regular file.
    """
    fd = open_own(path, flags, FILE)
    if os.name == "posix" and os.fstat(fd).st_mode & _OTHERS:
        with suppress(OSError):
            os.fchmod(fd, FILE)
    return fd


def write_private(path: Path, text: str) -> None:
    """Write `text` to a file that only its owner can read, in place of what lay there.

    Raises
    ------
    OSError
        If that fails, or something that is no regular file lies there.
    """
    fd = open_private(path, os.O_WRONLY | os.O_CREAT)
    try:
        os.ftruncate(fd, 0)
        write_all(fd, plain(text).encode("utf-8"))
    finally:
        os.close(fd)


def tighten(paths: Iterable[Path]) -> None:
    """Take the rights of others from regular files that earlier versions have left readable."""
    for path in paths:
        _tighten(path, FILE)


def _tighten(path: Path, mode: int) -> None:
    with suppress(OSError):
        found = os.lstat(path)
        if not stat.S_ISLNK(found.st_mode) and found.st_mode & _OTHERS:
            os.chmod(path, mode)
