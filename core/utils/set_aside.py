"""Files that cannot be read, or are to be replaced, are moved out of the way, never deleted."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path


def set_aside(path: Path, why: str = "corrupt") -> Path:
    """Rename ``name`` to ``name.<why>-<time>`` in the same folder and return the new path.

    Raises
    ------
    OSError
        If it cannot be renamed; then it lies where it was.
    """
    aside = path.with_name(f"{path.name}.{why}-{datetime.now():%Y%m%d-%H%M%S}")
    os.replace(path, aside)
    return aside
