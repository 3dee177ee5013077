"""JSON of no fixed form, and of lists whose odd entries are ignored: whatever is wrong is a ValueError.

Where a file has a form, `core.files.reading` reads it by a schema. Its library takes a quarter of a second to import,
so what the window reads before it is visible is read here as well. No other module calls `json.loads`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.files.opening import read_regular


def parse(text: bytes | str) -> Any:
    """Return what JSON text holds, bytes as UTF-8 with or without a byte order mark.

    Raises
    ------
    ValueError
        If it is no JSON, no UTF-8, or nested too deep.
    """
    try:
        return json.loads(text.decode("utf-8-sig") if isinstance(text, bytes) else text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def read_object(path: Path, limit: int, *, follow: bool = True) -> dict[str, Any]:
    """Return the JSON object in a regular file of at most `limit` bytes.

    Raises
    ------
    OSError
        If it is no regular file, larger, or cannot be read.
    ValueError
        If it holds no JSON object in UTF-8.
    """
    content = parse(read_regular(path, limit, follow=follow))
    if not isinstance(content, dict):
        raise ValueError("it holds no JSON object")
    return content
