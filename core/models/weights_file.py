"""A first look at a weights file without torch: is it there, is its size sane, does it begin like one?"""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Final

from core.files.opening import FileTooLargeError, NotRegularFileError, open_regular, read_regular
from core.message import Message

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
        with open_regular(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            head = stream.read(_MIN_BYTES)
    except (FileNotFoundError, NotRegularFileError):
        return Message("{name} is not a file", name=path.name)
    except OSError as error:
        return Message("{name} cannot be read: {strerror}", name=path.name, strerror=error.strerror)
    if size == 0:
        return Message("{name} is empty (0 bytes)", name=path.name)
    if size > MAX_BYTES:
        return Message(
            "{name} is {size:.1f} GB, far more than any model read here ({max_bytes:.1f} GB)",
            name=path.name,
            size=size / 1e9,
            max_bytes=MAX_BYTES / 1e9,
        )
    return _why_no_weights(path, head, size)


def _why_no_weights(path: Path, head: bytes, size: int) -> str:
    if path.suffix == ".safetensors":
        return (
            ""
            if _is_safetensors(head, size)
            else Message("{name} is no safetensors file, or ends too early", name=path.name)
        )
    if head.startswith((_ZIP, _LEGACY_TORCH)):
        return ""
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return Message("{name} is a web page, not weights: the download did not work", name=path.name)
    return Message("{name} is no weights file: unknown file signature", name=path.name)


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
        If the file cannot be read, is larger than `limit` bytes, or holds no JSON object; its argument says which.
    """
    try:
        data = read_regular(path, limit)
    except FileTooLargeError as error:
        raise ValueError(Message("{name} is too large to be a description", name=path.name)) from error
    except OSError as error:
        raise ValueError(
            Message("{name} cannot be read: {strerror}", name=path.name, strerror=error.strerror)
        ) from error
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(Message("{name} is no valid JSON: {error}", name=path.name, error=error)) from error
    if not isinstance(content, dict):
        raise ValueError(Message("{name} holds no JSON object", name=path.name))
    return content
