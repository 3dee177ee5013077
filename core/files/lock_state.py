"""Whether somebody is writing to a folder, asked without writing to it oneself."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock

from core.files.lock_files import LOCK_FILE, check_lock_files
from core.files.own import ForeignPathError


def is_locked(folder: Path) -> bool:
    """Return whether some process holds the lock of a folder right now.

    A lock file that is a link or another program's, or that cannot be opened, counts as held: nobody can tell.
    """
    path = folder / LOCK_FILE
    try:
        check_lock_files(folder)
    except ForeignPathError:
        return True
    if not path.is_file():
        return False
    try:
        with FileLock(path, thread_local=False, blocking=False):
            return False
    except OSError:  # Timeout is one
        return True
