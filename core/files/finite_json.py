"""JSON without NaN and Infinity, which JSON does not know: they become null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from core.files.text import plain
from core.redaction import without_home


def finite(value: Any) -> Any:
    """Return the value with every NaN and infinity in it replaced by None, and paths by their text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return str(value) if isinstance(value, PurePath) else value


def finite_json(data: Any) -> str:
    """Return `data` as indented JSON text that ends with a line break and names nobody's home folder.

    For results, which are passed on; what the program itself reads to find files again is written by `json`.
    """
    text = json.dumps(finite(data), ensure_ascii=False, allow_nan=False, indent=2)
    return without_home(plain(text)) + "\n"
