"""Opening files for reading: regular ones alone, never waiting for a pipe or a device, never more than a limit."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from core.message import Message

MAX_PICTURE_BYTES: Final = 1 << 30
"""Of the file of one picture."""

MAX_PIXELS: Final = 50_000_000
"""Of one picture: 50 megapixels."""

MAX_SHEET_IMAGES: Final = 2000
"""Of one contact sheet."""

_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
_NO_WAIT: Final[int] = getattr(os, "O_NONBLOCK", 0)
_NO_LINK: Final[int] = getattr(os, "O_NOFOLLOW", 0)

_KINDS: Final = (
    (stat.S_ISDIR, Message("a folder")),
    (stat.S_ISFIFO, Message("a named pipe")),
    (stat.S_ISSOCK, Message("a socket")),
    (stat.S_ISCHR, Message("a device")),
    (stat.S_ISBLK, Message("a device")),
    (stat.S_ISLNK, Message("a symbolic link")),
)


class NotRegularFileError(OSError):
    """Something is there that is no regular file; `kind` says what it is."""

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(errno.EINVAL, f"it is {kind}, not a regular file", str(path))
        self.kind = kind


class FileTooLargeError(OSError):
    """The file is larger than any of its kind that the program reads."""

    def __init__(self, path: Path, size: int, limit: int) -> None:
        super().__init__(errno.EFBIG, f"it holds {size:,} bytes; at most {limit:,} are read", str(path))


@contextmanager
def open_regular(path: Path, *, follow: bool = True) -> Iterator[BinaryIO]:
    """Open a regular file for reading, as a context manager.

    Parameters
    ----------
    follow
        Whether a symbolic link at `path` itself is followed to the file it names.

    Raises
    ------
    NotRegularFileError
        If a folder, pipe, socket, device or (unless followed) link is there. It is not opened.
    OSError
        If it cannot be opened.
    """
    _require_regular(path, os.stat(path, follow_symlinks=follow).st_mode)
    flags = os.O_RDONLY | _BINARY | _NO_WAIT | (0 if follow else _NO_LINK)
    with os.fdopen(os.open(path, flags), "rb") as stream:
        _require_regular(path, os.fstat(stream.fileno()).st_mode)  # it may have been exchanged in between
        yield stream


def read_regular(path: Path, limit: int, *, follow: bool = True) -> bytes:
    """Return the content of a regular file of at most `limit` bytes; see `open_regular`.

    Raises
    ------
    FileTooLargeError
        If it is larger; then nothing is read.
    OSError
        As `open_regular`.
    """
    with open_regular(path, follow=follow) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > limit:
            raise FileTooLargeError(path, size, limit)
        data = stream.read(limit + 1)
    if len(data) > limit:  # it grows, or its file system gives no size
        raise FileTooLargeError(path, len(data), limit)
    return data


def kind_of(mode: int) -> str:
    """Say in words what the mode of something that is no regular file stands for."""
    return next((kind for is_kind, kind in _KINDS if is_kind(mode)), Message("something else"))


def special_kind(path: Path) -> str:
    """Say what is at `path` if it is neither a file nor a folder (nor a link to one); "" otherwise.

    Nothing is opened. A path that does not exist is nothing special.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return ""
    return "" if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else kind_of(mode)


def _require_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise NotRegularFileError(path, kind_of(mode))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a regular file as 64 hexadecimal digits, read in pieces; see `open_regular`."""
    digest = hashlib.sha256()
    with open_regular(path) as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
