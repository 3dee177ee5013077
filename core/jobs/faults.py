"""Where a worker's process was when it crashed: the fault handler tells it to a file that outlives the process."""

from __future__ import annotations

import faulthandler
from contextlib import suppress
from pathlib import Path
from typing import IO

from core.utils.path_manager import PathManager


def catch_faults(pid: int) -> IO[str] | None:
    """Let a crash of this process write where it was; the file must be kept open. None if it cannot be written."""
    path = _path(pid)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w", encoding="utf-8")
    except OSError:
        return None
    faulthandler.enable(file)
    return file


def take_faults(pid: int) -> str:
    """Return what a process has left behind, empty if it did not crash; it is told only once."""
    path = _path(pid)
    text = ""
    with suppress(OSError):
        text = path.read_text(encoding="utf-8", errors="replace").strip()
        path.unlink()
    return text


def _path(pid: int) -> Path:
    return PathManager().log_dir / f"engine-{pid}.faults"
