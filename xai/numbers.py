"""Numbers as pages and figures show them."""

from __future__ import annotations


def signed(value: float | None, digits: int = 3) -> str:
    """Return a number with its sign, or a dash."""
    return "\u2013" if value is None else f"{value:+.{digits}f}".replace("-", "\u2212")
