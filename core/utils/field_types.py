"""Whether values that came from a file have the types of the fields that they are put into.

For the few files that are read before the window is on the screen, which cannot wait for the import that the schemas of
`core.files.reading` need.
"""

from __future__ import annotations

import functools
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, Literal

MOST: Final = 2**53
"""Whole numbers up to this are kept exactly by every reader of JSON."""


def misfit(record: Any) -> str:
    """Return the name of the first field of a dataclass whose value is not of its type; "" if there is none.

    Numbers must be finite, a truth value is no number, and paths hold no zero byte.
    """
    kind: type = type(record)
    hints = _hints(kind)
    return next((each.name for each in fields(record) if not fits(getattr(record, each.name), hints[each.name])), "")


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type: a class, a union, a `Literal`, or a tuple of such."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in inner)
    if origin is Literal:
        return any(value is one or (type(value) is type(one) and value == one) for one in inner)
    if origin is tuple:
        return _fits_tuple(value, inner)
    return _fits_class(value, hint)


def _fits_tuple(value: Any, inner: tuple[Any, ...]) -> bool:
    if not isinstance(value, tuple):
        return False
    if len(inner) == 2 and inner[1] is Ellipsis:
        return all(fits(item, inner[0]) for item in value)
    return len(value) == len(inner) and all(map(fits, value, inner))


def _fits_class(value: Any, kind: type) -> bool:
    if kind is int:
        return type(value) is int and abs(value) <= MOST
    if kind is float:
        return type(value) in (int, float) and abs(value) <= MOST and math.isfinite(value)
    if issubclass(kind, Path):
        return isinstance(value, Path) and "\0" not in str(value)
    return isinstance(value, kind)


@functools.cache
def _hints(kind: type) -> Mapping[str, Any]:
    return typing.get_type_hints(kind)


_MOST_DIGITS: Final = 18
"""More than any count, seed or size has; Python itself refuses to read numbers of some thousand digits."""


def read_whole_number(text: str) -> int | None:
    """Return the number of at least 0 that `text` writes in the digits 0 to 9, blanks around it allowed, or None."""
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else None
