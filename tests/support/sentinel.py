"""A tree of files that nobody may change, and what it looks like."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def snapshot(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return every path below `folder` with its kind, permissions, time of change, and content or target."""
    found: dict[str, tuple[object, ...]] = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            state = path.lstat()
            found[path.relative_to(folder).as_posix()] = (state.st_mode, state.st_mtime_ns, _content(path, state))
    return found


def _content(path: Path, state: os.stat_result) -> object:
    if stat.S_ISLNK(state.st_mode):
        return os.readlink(path)
    return path.read_bytes() if stat.S_ISREG(state.st_mode) else ""
