"""What the files of a run say, read so that neither a broken nor a hostile file can do more than be ignored."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from core.files import loose_json
from core.files.opening import read_regular
from core.message import Message

Row = Mapping[str, Any]

LOG_FILE: Final = "log.jsonl"
_MAX_BYTES: Final = 1 << 28


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; an empty one if there is none, or it is none, or it is absurdly large."""
    try:
        return loose_json.read_object(path, _MAX_BYTES, follow=False)
    except (OSError, ValueError):
        return {}


def problem_of(path: Path) -> str:
    """Return why a file does not hold a JSON object, "" if it does or is not there."""
    try:
        loose_json.read_object(path, _MAX_BYTES, follow=False)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return error.strerror or str(error)
    except ValueError:
        return Message("it is damaged")
    return ""


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a log; broken lines, such as a last one that a kill cut off, are ignored."""
    try:
        lines = read_regular(path, _MAX_BYTES, follow=False).splitlines()
    except OSError:
        return []
    return [row for line in lines if (row := _row(line)) is not None]


def series(rows: Iterable[Row], name: str) -> tuple[list[float], list[float]]:
    """Return images seen and value of every row that has a number of that name."""
    points = [(number(row.get("images")), number(row.get(name))) for row in rows]
    found = [(images, value) for images, value in points if images is not None and value is not None]
    return [images for images, _ in found], [value for _, value in found]


def value_at(data: Any, *names: str) -> Mapping[str, Any]:
    """Return the object under nested names; an empty one if there is none."""
    for name in names:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def number(value: Any) -> float | None:
    """Return a finite JSON number, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    with suppress(OverflowError):  # a whole number of hundreds of digits
        return float(value) if math.isfinite(value) else None
    return None


def files_in(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield path relative to `folder`, with slashes, and bytes of every file; links are not followed."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            with suppress(OSError):  # a running trainer replaces its files
                yield path.relative_to(folder).as_posix(), path.lstat().st_size


def flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield name and value of settings; `optimizer.beta` for a nested one."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def newest(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the newest value of every column."""
    return {name: value for row in rows for name, value in row.items() if value is not None}


def _row(line: bytes) -> Row | None:
    try:
        row = loose_json.parse(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None
