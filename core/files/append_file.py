"""A file that only grows by complete, durable pieces."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from core.files.atomic import write_all
from core.files.own import open_own


class AppendFile:
    """Appends to an existing file; whatever a failed append left behind is cut off before the next one.

    Parameters
    ----------
    path
        The file; it exists.
    size
        Number of bytes at its start that are known to be good.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size

    def append(self, data: bytes) -> None:
        """Append `data` with one write, and make it durable.

        Raises
        ------
        OSError
            If that fails, if a link or no regular file lies there, or if the file is shorter than it was; then nothing
            counts as appended.
        """
        fd = open_own(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            self._cut_to_good_size(fd)
            self._write_or_undo(fd, data)
        finally:
            os.close(fd)
        self.size += len(data)

    def cut(self) -> None:
        """Cut off, durably, whatever lies behind the good bytes.

        Raises
        ------
        OSError
            If that fails, if a link or no regular file lies there, or if the file is shorter than it was.
        """
        fd = open_own(self.path, os.O_WRONLY)
        try:
            self._cut_to_good_size(fd)
            os.fsync(fd)
        finally:
            os.close(fd)

    def _cut_to_good_size(self, fd: int) -> None:
        present = os.fstat(fd).st_size
        if present < self.size:
            raise OSError(errno.EIO, "another program has shortened the file", str(self.path))
        if present > self.size:
            os.ftruncate(fd, self.size)

    def _write_or_undo(self, fd: int, data: bytes) -> None:
        try:
            write_all(fd, data)
            os.fsync(fd)
        except OSError:
            with suppress(OSError):
                os.ftruncate(fd, self.size)
            raise
