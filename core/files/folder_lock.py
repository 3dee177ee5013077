"""One writer per folder: a lock that the kernel releases when its process dies, and that says who holds it."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import socket
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

from core.errors import FolderLockedError
from core.files.atomic import write_new_file
from core.files.lock_files import HOLDER_FILE, LOCK_FILE, check_lock_files
from core.files.lock_holder import holder_words, is_here, read_holder
from core.files.output_errors import output_errors
from core.message import Message

logger = logging.getLogger(__name__)


class FolderLock:
    """Exclusive right to write into a folder, shared by the window and the command line.

    The lock is `<folder>/lock`, held by the operating system; who holds it stands in `<folder>/lock.json`, which is
    only ever read to tell a second process whom it is waiting for. So information left by a dead process blocks nobody.

    Parameters
    ----------
    folder
        Where the lock file lies; it must exist.
    subject
        The folder that is named in messages.
    """

    def __init__(self, folder: Path, *, subject: Path | None = None) -> None:
        self._subject = subject or folder
        self._folder = folder
        self._holder_file = folder / HOLDER_FILE
        self._lock = FileLock(folder / LOCK_FILE, thread_local=False)

    def acquire(self) -> None:
        """Take the lock, or fail at once.

        Raises
        ------
        FolderLockedError
            If another process, or another part of this one, holds the lock.
        OutputError
            If the lock file cannot be written; `ForeignPathError` if it is a link or somebody else's.
        """
        check_lock_files(self._folder)
        with output_errors(self._subject):
            try:
                self._lock.acquire(blocking=False)
            except Timeout as error:  # an OSError too
                raise _locked_error(self._subject, read_holder(self._holder_file)) from error
        self._announce()

    def release(self) -> None:
        """Give the lock back; harmless if it is not held."""
        if not self._lock.is_locked:
            return
        try:
            with suppress(OSError):
                self._holder_file.unlink()
        finally:
            self._lock.release()

    def __enter__(self) -> FolderLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _announce(self) -> None:
        # The lock is already ours; a full disk must not stop somebody who came to free space by discarding a run.
        try:
            self._holder_file.unlink(missing_ok=True)  # it may have another name elsewhere, which keeps its content
            write_new_file(self._holder_file, json.dumps(_this_process()).encode())
        except OSError as error:
            logger.warning("Could not note who is writing to %s: %s", self._subject, error)


def _this_process() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "program": "window" if multiprocessing.parent_process() or "PyQt5.QtWidgets" in sys.modules else "command line",
        "command": " ".join(sys.argv),
        "host": socket.gethostname(),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def _locked_error(subject: Path, holder: dict[str, Any]) -> FolderLockedError:
    if holder.get("pid") == os.getpid() and is_here(holder):
        return FolderLockedError(
            Message("This program is already writing to '{subject}'.", subject=subject),
            remedy=Message("Wait until that run has ended, or choose another output folder."),
            path=subject,
        )
    who = f"{holder_words(holder)}," if holder else "Another process"
    return FolderLockedError(
        Message("{who} is writing to '{subject}'.", who=who, subject=subject),
        remedy=Message("Wait until it has finished, stop it, or choose another output folder."),
        path=subject,
    )
