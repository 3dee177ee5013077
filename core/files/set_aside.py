"""Files that cannot be read, or are to be replaced, are moved out of the way, never deleted."""

from __future__ import annotations

import itertools
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
    aside = _free_name(path, f"{why}-{datetime.now():%Y%m%d-%H%M%S}")
    os.replace(path, aside)
    return aside


def _free_name(path: Path, ending: str) -> Path:
    names = itertools.chain([ending], (f"{ending}-{number}" for number in itertools.count(2)))
    places = (path.with_name(f"{path.name}.{name}") for name in names)
    return next(place for place in places if not os.path.lexists(place))
