"""Finds image files that cannot be shown, by their first and last bytes, without decoding them. No Qt."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.files.opening import MAX_PIXELS, NotRegularFileError, open_regular

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_END: Final = b"IEND"

EMPTY: Final = "empty"
INCOMPLETE: Final = "incomplete"
TOO_LARGE: Final = "too large"
GONE: Final = "gone"
SPECIAL: Final = "special"


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a file cannot be shown; width and height are those of an image that is too large."""

    path: str
    kind: str
    width: int = 0
    height: int = 0


def find_flaws(paths: Iterable[str]) -> list[Flaw]:
    """Return a flaw for each file that is empty, cut short or absurdly large, as far as a glance tells."""
    found = (find_flaw(path) for path in paths)
    return [flaw for flaw in found if flaw is not None]


def find_flaw(path: str) -> Flaw | None:
    """Return what a glance at a file tells against it; formats other than PNG are only looked at for being empty."""
    try:
        with open_regular(Path(path)) as file:
            head = file.read(24)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 12))
            tail = file.read(12)
    except NotRegularFileError:
        return Flaw(path, SPECIAL)
    except OSError:
        return Flaw(path, GONE)
    if not head:
        return Flaw(path, EMPTY)
    if not path.lower().endswith(".png"):
        return None
    if not head.startswith(_SIGNATURE) or len(head) < 24 or tail[4:8] != _END:
        return Flaw(path, INCOMPLETE)
    width, height = struct.unpack(">II", head[16:24])
    return Flaw(path, TOO_LARGE, width, height) if width * height > MAX_PIXELS else None
