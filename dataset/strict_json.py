"""JSON that every reader accepts: numbers that JSON does not know are written as strings and come back as numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

from core.files import loose_json
from core.files.text import plain

_NAMES: Final = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}


def dumps(data: Any, *, indent: int | None = None) -> str:
    """Return `data` as strict JSON.

    Scheduler configurations hold ``-inf`` (`lambda_min_clipped` of DPM-Solver), for which Python would write
    ``-Infinity``, which is no JSON; here it becomes the string ``"-Infinity"``.
    """
    return plain(json.dumps(_to_plain(data), ensure_ascii=False, allow_nan=False, indent=indent))


def loads(text: str | bytes) -> Any:
    """Read what `dumps` wrote.

    Raises
    ------
    ValueError
        If the text is no JSON.
    """
    try:
        return _from_plain(loose_json.parse(text))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _to_plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, Mapping):
        return {str(key): _to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_plain(item) for item in value]
    return str(value) if isinstance(value, PurePath) else value


def _from_plain(value: Any) -> Any:
    if isinstance(value, str):
        return _NAMES.get(value, value)
    if isinstance(value, dict):
        return {key: _from_plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_from_plain(item) for item in value]
    return value
