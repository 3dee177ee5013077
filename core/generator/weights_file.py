"""A first look at a weights file without torch: is it there, is its size sane, does it begin like one?"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 2 * 1024**3
"""No network this program draws with is nearly as large."""

_MIN_BYTES: Final = 16
_ZIP: Final = b"PK\x03\x04"
_LEGACY_TORCH: Final = b"\x80\x02"
_MAX_SAFETENSORS_HEADER: Final = 100 * 1024**2


def why_unusable(path: Path) -> str:
    """Return why a file cannot hold weights, in plain words, or an empty string if it may.

    Only the first bytes are read: a file that passes can still be refused when it is loaded.
    """
    try:
        if not path.is_file():
            return f"{path.name} is not a file"
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(_MIN_BYTES)
    except OSError as error:
        return f"{path.name} cannot be read: {error.strerror}"
    if size == 0:
        return f"{path.name} is empty (0 bytes)"
    if size > MAX_BYTES:
        return f"{path.name} is {size / 1e9:.1f} GB, far more than any model read here ({MAX_BYTES / 1e9:.1f} GB)"
    return _why_no_weights(path, head, size)


def _why_no_weights(path: Path, head: bytes, size: int) -> str:
    if path.suffix == ".safetensors":
        return "" if _is_safetensors(head, size) else f"{path.name} is no safetensors file, or ends too early"
    if head.startswith((_ZIP, _LEGACY_TORCH)):
        return ""
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return f"{path.name} is a web page, not weights: the download did not work"
    return f"{path.name} is no weights file: it begins like none"


def _is_safetensors(head: bytes, size: int) -> bool:
    if len(head) < 9 or head[8:9] != b"{":
        return False
    (length,) = struct.unpack("<Q", head[:8])
    return 8 + length <= size and length <= _MAX_SAFETENSORS_HEADER


def read_json(path: Path, limit: int = 1024**2) -> dict[str, object]:
    """Return the JSON object in a small file.

    Raises
    ------
    ValueError
        If the file cannot be read, is larger than `limit` bytes, or holds no JSON object; the text says which.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror}") from error
    if len(data) > limit:
        raise ValueError(f"{path.name} is too large to be a description")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path.name} is no valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} holds no JSON object")
    return content
