"""One set-up at a time: a lock that the kernel releases when its holder dies, and that needs no package."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType

from core.environment.words import SetupError, say
from core.message import Message

if sys.platform == "win32":
    import msvcrt

    def try_lock(descriptor: int) -> bool:
        """Take the lock of an open file, if nobody has it; it is given back when the file is closed."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Take the lock of an open file, if nobody has it; it is given back when the file is closed."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class SetupLock:
    """Held while the environment is changed; waits, and says so, while another process holds it."""

    POLL_SECONDS = 0.2

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    @property
    def inherited(self) -> tuple[int, ...]:
        """File descriptors to start installers with: if this process is killed, the lock lasts until they ended too."""
        return (self._descriptor,) if os.name == "posix" else ()

    def __enter__(self) -> SetupLock:
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as problem:
            raise SetupError(
                Message(
                    "ISICGUI cannot be set up in {parent}: {strerror}.",
                    parent=self._path.parent,
                    strerror=problem.strerror,
                ),
                remedy=Message("Move it to a folder that you can write to, and run the same command again."),
                path=self._path,
            ) from problem
        waiting = False
        while not try_lock(self._descriptor):
            if not waiting:
                say("Another set-up of this folder is running; waiting until it has finished.")
            waiting = True
            time.sleep(self.POLL_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
