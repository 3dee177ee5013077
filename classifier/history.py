"""The training history as the plots read it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path

from core.files.reading import DamagedFileError, read_input

HISTORY_FILE = "training_history.csv"

Series = list[tuple[float, float]]


def read_history(path: Path) -> dict[str, Series]:
    """Return for every column its points (epoch, value); rows without a number are ignored, and so is no table."""
    try:
        text = read_input(path, what="a training's history").decode("utf-8", errors="replace")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except (FileNotFoundError, DamagedFileError, csv.Error):
        return {}
    columns = {name for row in rows for name in row if name is not None}
    return {name: _points(rows, name) for name in sorted(columns)}


def _points(rows: list[dict[str, str]], name: str) -> Series:
    numbered = [(_number(row, "epoch"), _number(row, name)) for row in rows]
    return [(epoch, value) for epoch, value in numbered if epoch is not None and value is not None]


def _number(row: Mapping[str, str | None], name: str) -> float | None:
    try:
        value = float(row.get(name) or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
