"""Values that stand for "not known", in the spellings of spreadsheets, pandas, R and JSON."""

from __future__ import annotations

import math
from typing import Any, Final

MISSING: Final = frozenset(
    {
        "", "nan", "na", "n/a", "n.a.", "n.a", "#n/a", "#na", "<na>", "none", "null", "nil", "nat", "missing",
        "unknown", "unk", "undefined", "not available", "-", "--", "---", "\u2013", "\u2014", "?",
        "-nan", "#value!", "#ref!",
    }
)  # fmt: skip
"""In lower case."""


def known(value: Any) -> str:
    """Return a value as stripped text, or "" where it stands for a missing one."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    text = str(value).strip()
    return "" if text.lower() in MISSING else text
