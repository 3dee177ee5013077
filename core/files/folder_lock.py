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
from typing import Any, Final

from core.errors import FolderLockedError
from core.files import loose_json
from core.files.atomic import output_errors, write_new_file
from core.files.own import ForeignPathError, check_own_file
from core.message import Message

logger = logging.getLogger(__name__)

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


_MAX_BYTES: Final = 1 << 20
_MAX_PID: Final = 2**31 - 1
_MAX_TEXT: Final = 100_000

_NO_TIME: Final = (ValueError, OverflowError, OSError)
"""What a date far away from now raises."""


def who_holds(folder: Path) -> str:
    """Return in words which other process holds the lock of `folder`, or an empty text; the lock is not touched.

    A holder on another machine is believed; one on this machine that has died without a word is not.
    """
    holder = read_holder(folder / HOLDER_FILE)
    if not isinstance(holder.get("pid"), int) or (is_here(holder) and not _still_runs(holder)):
        return ""
    return holder_words(holder)


def is_here(holder: dict[str, Any]) -> bool:
    """Whether the holder that noted itself is on this machine."""
    return holder.get("host") == socket.gethostname()


def _still_runs(holder: dict[str, Any]) -> bool:
    """Whether the process that noted itself is there, is another one, and is older than its note."""
    import psutil  # a twentieth of a second that the window's start does not have

    pid, since = holder["pid"], holder.get("since")
    if not isinstance(since, str) or pid == os.getpid():
        return False
    try:
        started: float = psutil.Process(pid).create_time()
        return started < datetime.fromisoformat(since).timestamp() + 1
    except (psutil.Error, *_NO_TIME):
        return False


def holder_words(holder: dict[str, Any]) -> str:
    """Name a holder."""
    known = {name: holder.get(name) for name in ("pid", "program", "command", "host")}
    return Message("Process {pid} ({program}: {command}) on {host}, since {since}", **known, since=_moment(holder))


def _moment(holder: dict[str, Any]) -> str:
    """When the holder noted itself, in this machine's time and as people write it."""
    noted = str(holder.get("since"))
    try:
        return datetime.fromisoformat(noted).astimezone().strftime("%Y-%m-%d %H:%M")
    except _NO_TIME:
        return noted


def read_holder(path: Path) -> dict[str, Any]:
    """Return what a holder noted, empty if that cannot be read."""
    try:
        holder = loose_json.read_object(path, _MAX_BYTES, follow=False)
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in holder.items() if _is_sane(name, value)}


def _is_sane(name: str, value: object) -> bool:
    if name == "pid":
        return type(value) is int and 0 < value <= _MAX_PID
    return isinstance(value, str) and len(value) <= _MAX_TEXT


def is_locked(folder: Path) -> bool:
    """Return whether some process holds the lock of a folder right now.

    A lock file that is a link or another program's, or that cannot be opened, counts as held: nobody can tell.
    """
    from filelock import FileLock

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
        from filelock import FileLock  # takes 30 ms to import: `--help` needs no lock

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
        from filelock import Timeout

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
