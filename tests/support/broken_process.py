"""A process whose files break at a chosen moment, or that dies at it: every way of writing is seen, not Python's alone.

`tests.support.broken_os` breaks calls inside the test; here a forked child breaks for good, so that whole commands can
be tried, with whatever they leave open when they die.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = ("os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")
_FREEING = ("os.rename", "os.remove", "os.rmdir", "os.truncate")
"""What still works on a full disk."""


@dataclass(frozen=True)
class Fault:
    """What breaks.

    Attributes
    ----------
    kind
        ``none`` (counting only), ``kill`` (SIGKILL), ``full`` (no space from then on), ``fsync`` (fails always),
        ``links`` (the file system has no hard links), ``size`` (no file may become larger than `at` bytes).
    at
        1-based number of the operation on files below the folder that is watched; see `kind` for ``size``.
    """

    kind: str = "none"
    at: int = 0


class BrokenFiles:
    """Counts the operations that change files below a folder, and breaks at a chosen one; it cannot be undone."""

    def __init__(self, fault: Fault, below: str) -> None:
        self.fault, self.below, self.count = fault, os.path.realpath(below) + os.sep, 0

    def install(self) -> None:
        """Break from now on."""
        if self.fault.kind == "size":
            import resource

            resource.setrlimit(resource.RLIMIT_FSIZE, (self.fault.at, self.fault.at))
            return
        os.write = self._guarded(os.write, "write")
        os.fsync = self._guarded(os.fsync, "fsync")
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING and self._is_watched(path):
                self._step("open")
        elif event in _CHANGES and any(self._is_watched(one) for one in arguments[:2]):
            self._step(event)

    def _guarded(self, real: Callable, name: str) -> Callable:
        def call(fd, *arguments):
            if self._is_watched(_path_of(fd)):
                self._step(name)
            return real(fd, *arguments)

        return call

    def _is_watched(self, path: object) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return False
        return (os.path.abspath(os.fsdecode(path)) + os.sep).startswith(self.below)

    def _step(self, name: str) -> None:
        self.count += 1
        kind, reached = self.fault.kind, self.count >= self.fault.at
        if kind == "kill" and reached:
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == "full" and reached and name not in _FREEING:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if kind == "fsync" and name == "fsync":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if kind == "links" and name == "os.link":
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def _path_of(fd: int) -> str | None:
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:  # no such file system: what is written to files is then not counted
        return None
