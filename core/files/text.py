"""Text that can be written: as UTF-8, as rows of a table, as JSON that every reader understands."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, Final

from core.files import loose_json
from core.home import without_home


def plain(text: str) -> str:
    r"""Return `text` with every surrogate that stands alone written out, as in ``\udcff``.

    Python gives such to bytes of a file's name that are no UTF-8. JSON reads what is written out back as what it was;
    for people it says which byte it is.
    """
    return text.encode("utf-8", errors="backslashreplace").decode("utf-8") if not text.isascii() else text


_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Signs that a terminal obeys, line breaks and tabs left out: they colour, move, rename, turn the direction."""


def shown(text: str) -> str:
    """Return `text` for a terminal: what a file or its name holds is only ever shown, see `plain`."""
    return _CONTROLS.sub(_written_out, plain(text).replace("\r\n", "\n"))


def _written_out(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


_FORMULA_STARTS: Final = ("=", "+", "-", "@")
_MARK: Final = "'"


def csv_line(cells: Iterable[object]) -> str:
    """Return a row with its line end; numbers are written as they are, None as nothing.

    A text that a spreadsheet would run as a formula, also behind spaces and tabs, begins with an apostrophe. A row is
    one line, for whoever repairs a torn table: line ends inside a text become spaces.
    """
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(map(_cell, cells))
    return plain(buffer.getvalue())


def cell_text(cell: str) -> str:
    """Return the text that `csv_line` was given for a cell."""
    return cell[1:] if cell.startswith(_MARK) and _is_formula(cell) else cell


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.replace("\r", " ").replace("\n", " ")
    return f"{_MARK}{text}" if _is_formula(text) else text


def _is_formula(text: str) -> bool:
    """Whether a text is a formula, or one that has got apostrophes already: then it gets another one."""
    bare = text.lstrip(_MARK)
    return bare.startswith("\t") or bare.lstrip().startswith(_FORMULA_STARTS)


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


_NAMES: Final = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}


def strict_dumps(data: Any, *, indent: int | None = None) -> str:
    """Return `data` as strict JSON.

    Scheduler configurations hold ``-inf`` (`lambda_min_clipped` of DPM-Solver), for which Python would write
    ``-Infinity``, which is no JSON; here it becomes the string ``"-Infinity"``.
    """
    return plain(json.dumps(_storable(data), ensure_ascii=False, allow_nan=False, indent=indent))


def strict_loads(text: str | bytes) -> Any:
    """Read what `strict_dumps` wrote.

    Raises
    ------
    ValueError
        If the text is no JSON.
    """
    try:
        return _restored(loose_json.parse(text))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _storable(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, Mapping):
        return {str(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    return str(value) if isinstance(value, PurePath) else value


def _restored(value: Any) -> Any:
    if isinstance(value, str):
        return _NAMES.get(value, value)
    if isinstance(value, dict):
        return {key: _restored(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_restored(item) for item in value]
    return value
