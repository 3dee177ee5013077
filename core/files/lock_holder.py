"""Who holds a folder's lock, read from the note beside it; the lock itself is not touched."""

from __future__ import annotations

import json
import os
import socket
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from core.files.lock_files import HOLDER_FILE
from core.files.opening import read_regular
from core.message import Message

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
        holder = json.loads(read_regular(path, _MAX_BYTES, follow=False))
    except (OSError, ValueError, RecursionError):  # the schemas would cost a start of the window a quarter of a second
        return {}
    return {name: value for name, value in holder.items() if _is_sane(name, value)} if isinstance(holder, dict) else {}


def _is_sane(name: str, value: object) -> bool:
    if name == "pid":
        return type(value) is int and 0 < value <= _MAX_PID
    return isinstance(value, str) and len(value) <= _MAX_TEXT
