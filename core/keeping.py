"""Writing a file that a person may have changed since the program wrote it: what would be lost is set aside, and told.

Reports, sheets, cards and lists of decisions are written again by the same command. What is there is replaced if it is
still what this program wrote; anything else moves to a name with the time in it. What was written is noted in the
user's cache, by the checksums of path and content; without the note a file counts as changed.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import logging
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from core.files.atomic import fsync_dir, remove_left_behind, temporary_file
from core.files.opening import read_regular, sha256_of
from core.files.own import is_link
from core.files.text import plain
from core.message import Message
from core.utils.path_manager import PathManager


def set_aside(path: Path, why: str = "corrupt") -> Path:
    """Rename ``name`` to ``name.<why>-<time>`` in the same folder and return the new path.

    Raises
    ------
    OSError
        If it cannot be renamed; then it is where it was.
    """
    aside = _free_name(path, f"{why}-{datetime.now():%Y%m%d-%H%M%S}")
    os.replace(path, aside)
    return aside


def _free_name(path: Path, ending: str) -> Path:
    names = itertools.chain([ending], (f"{ending}-{number}" for number in itertools.count(2)))
    places = (path.with_name(f"{path.name}.{name}") for name in names)
    return next(place for place in places if not os.path.lexists(place))


WHY: Final = "before"
"""Stands in the names of files that were set aside: ``report.html.before-20260131-120000``."""

_SOMETHING_ELSE: Final = "-"
_LONGEST_NOTE: Final = 64
_log = logging.getLogger(__name__)


def replace_kept(path: Path, data: bytes) -> Path | None:
    """Write `data` to `path`; return where another file that was there is now, None if none had to move.

    The file appears complete or not at all. That another one was set aside is also logged as a warning by this module,
    which the command line shows.

    Raises
    ------
    OSError
        If that fails; then what was there is there still, or under the name that was logged.
    """
    remove_left_behind(path)
    new, found = hashlib.sha256(data).hexdigest(), _content(path)
    aside = None
    if found != new:
        with temporary_file(path.parent, path.name, data) as temporary:
            if found and found != _noted(path):
                aside = set_aside(path, WHY)
                told = Message("{path} was changed or damaged; it was renamed to {name}.", path=path, name=aside.name)
                _log.warning("%s", told)
            os.replace(temporary, path)
        fsync_dir(path.parent)
    _note(path, new)
    return aside


def replace_kept_text(path: Path, text: str) -> Path | None:
    """Write `text` as UTF-8; see `replace_kept`."""
    return replace_kept(path, plain(text).encode("utf-8"))


def _content(path: Path) -> str:
    """Return the checksum of what is there; "" for nothing. A folder is left where it is: IsADirectoryError."""
    if path.is_dir() and not is_link(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    try:
        return sha256_of(path)
    except FileNotFoundError:
        return _SOMETHING_ELSE if os.path.lexists(path) else ""
    except OSError:
        return _SOMETHING_ELSE


def _note_file(path: Path) -> Path:
    name = hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:32]
    return PathManager().cache_dir / "written" / name


def _noted(path: Path) -> str:
    try:
        return read_regular(_note_file(path), _LONGEST_NOTE).decode("ascii", errors="replace")
    except OSError:
        return ""


def _note(path: Path, checksum: str) -> None:
    place = _note_file(path)
    with suppress(OSError):  # a cache that cannot be written means that the next time more is set aside
        place.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(place.parent, place.name, checksum.encode("ascii")) as temporary:
            os.replace(temporary, place)
