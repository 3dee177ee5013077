"""Is there room for it? Asked before a download begins, again when its size is known, and before it is unpacked."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.errors import DiskFullError
from core.files.atomic import explain_os_error
from core.message import Message

RESERVE: Final = 64 * 1024**2
"""Bytes that stay free: a drive filled to the last one troubles every other program."""

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def free_bytes(folder: Path) -> int:
    """Return the free space where `folder` is or will be."""
    place = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())
    return shutil.disk_usage(place).free


def require_space(folder: Path, needed: int) -> None:
    """Raise a DiskFullError unless `needed` bytes fit where `folder` is, and a little remains."""
    free = free_bytes(folder)
    if needed + RESERVE <= free:
        return
    raise DiskFullError(
        Message(
            "There is not enough space at {folder}: {needed} are needed, {free} are free.",
            folder=folder,
            needed=size(needed + RESERVE),
            free=size(free),
        ),
        remedy=Message("Free some space, or choose a folder on another drive (--to DIR). What has arrived is kept."),
        path=folder,
    )


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals inside the block into errors that name the file and what to do.

    Raises
    ------
    DiskFullError
        If the drive or the quota is full, or files may not become that large.
    OutputError
        For every other refusal.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(
                Message("There is no space left for {path}.", path=path),
                remedy=Message(
                    "Free some space, or choose a folder on another drive (--to DIR); the same "
                    "command then continues with what has arrived."
                ),
                path=path,
            ) from error
        problem = explain_os_error(error, path)
        problem.remedy = Message("Choose a folder that you may write to (--to DIR).")
        raise problem from error


def size(count: float) -> str:
    """Return a number of bytes for people, as in ``754 MB``."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
