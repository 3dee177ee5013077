"""Whole numbers as people and files write them."""

from __future__ import annotations

from typing import Final

_MOST_DIGITS: Final = 18
"""More than any count, seed or size has; Python itself refuses to read numbers of some thousand digits."""


def read_whole_number(text: str) -> int | None:
    """Return the number of at least 0 that `text` writes in the digits 0 to 9, blanks around it allowed, or None."""
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else None
