"""Which files are taken, and which names are not even looked into."""

from __future__ import annotations

import re
from typing import Final

from core.message import Message
from core.taxonomy import CLASS_INDEX

STATISTICS: Final = "color_statistics.json"
CLASSIFIER: Final = "classifier.pth"

_CHECKPOINT: Final = re.compile(r"unet_([A-Za-z]+)_best\.(pth|safetensors)", re.IGNORECASE)
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_LONGEST: Final = 1024


def wanted(name: str) -> str | None:
    """Return the name under which a file of that name is kept, or None if it is none of a model.

    `name` may have folders before it; they are not kept.
    """
    base = name.rpartition("/")[2]
    match = _CHECKPOINT.fullmatch(base)
    if match is not None:
        code = match[1].upper()
        return f"unet_{code}_best.{match[2].lower()}" if code in CLASS_INDEX else None
    return base.lower() if base.lower() in (STATISTICS, CLASSIFIER) else None


def class_of(name: str) -> str | None:
    """Return the class that a kept checkpoint draws, or None if the file is none."""
    match = _CHECKPOINT.fullmatch(name)
    return match[1].upper() if match else None


def why_unsafe(name: str) -> Message | None:
    """Return why a name inside an archive is not touched, or None if it may be.

    Nothing is ever written under such a name anyway: this says that the archive is not what it seems.
    """
    parts = name.split("/")
    if "\x00" in name or any(ord(letter) < 32 for letter in name):
        return Message("its name holds control characters")
    if len(name) > _LONGEST:
        return Message("its file name is too long")
    if "\\" in name:
        return Message("its name holds a backslash, which leads elsewhere on Windows")
    if name.startswith("/") or _DRIVE.match(name):
        return Message("its name is an absolute path")
    if ".." in parts:
        return Message("its name leads out of the folder")
    if any(_RESERVED.fullmatch(part.strip(" .")) for part in parts):
        return Message("Windows reserves its name")
    return None
