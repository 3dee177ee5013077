"""What a hostile or unlucky file may hold in place of a value, and JSON text that no ordinary writer makes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

DEPTH = 5000

NUMBERS = (
    0, -1, 1, 7, 0.5, -0.0, 1e-320, 1e300, -1e300, 10**9, 2**31 - 1, 2**31, 2**53 + 1, 2**63, -(2**63), 2**64, 10**40,
    999_999_999_999, float("nan"), float("inf"), float("-inf"), True, False, None,
)  # fmt: skip

TEXTS = (
    "", " ", ".", "..", "../x", "../../outside", "/", "/etc/passwd", "/dev/zero", "/proc/self/mem", "C:\\x", "a\\b",
    "MEL/../../x", "CON", "ISIC_99999999999999999999.png", "ISIC_-1.png", ".png", "nan", "1e999", "=cmd|'x'!A0", "@x",
    "\x00", "a\x00b", "\x1b[31mred", "\r\n", "\x85", "\ud800", "\udcff", "\ufeff", "\u202egnp", "\U0001f600",
    "<script>alert(1)</script>", "{0.__class__}", "%s%n", "MEL", "NV", "A" * 300, "x" * 100_000, "../" * 40,
    "9999-99-99T99:99:99", "0001-01-01T00:00:00+23:59", "auto", "{name}", "https://example.invalid/a.zip",
)  # fmt: skip


@dataclass(frozen=True)
class Raw:
    """JSON text that is put as it is."""

    text: str


@dataclass(frozen=True)
class Members:
    """An object whose members are given one by one, so that a key can come twice."""

    items: tuple[tuple[str, Any], ...]


RAW = (
    Raw("[" * DEPTH + "]" * DEPTH), Raw("[" * DEPTH), Raw('{"a":' * DEPTH + "1" + "}" * DEPTH), Raw("9" * 5000),
    Raw("1e999"), Raw("-1e999"), Raw("NaN"), Raw("-Infinity"), Raw("1e-999"), Raw('"\\ud800"'), Raw('"\\u0000"'),
    Raw("tru"), Raw("'x'"), Raw("01"), Raw("1."), Raw("// x"), Raw(""), Raw('"\t"'), Raw("0x10"),
)  # fmt: skip


class Hostile:
    """Draws hostile values; those that are paths name places in a tree that is watched.

    Parameters
    ----------
    watched
        A folder that nothing may touch.
    """

    def __init__(self, random: Random, watched: Path) -> None:
        self.random = random
        self._texts = (*TEXTS, *(str(watched / name) for name in ("", "folder", "file.txt", "pipe", "new")))
        self._texts += (f"../{watched.name}", f"../{watched.name}/folder", f"../../{watched.name}/file.txt")

    def text(self) -> str:
        """Return a text."""
        return self.random.choice(self._texts)

    def number(self) -> Any:
        """Return a number, or what may stand in its place."""
        return self.random.choice(NUMBERS)

    def value(self) -> Any:
        """Return any JSON value."""
        kind = self.random.randrange(8)
        if kind < 3:
            return self.text()
        if kind < 6:
            return self.number()
        if kind == 6:
            return self.random.choice(RAW)
        return self._container()

    def near(self, value: Any) -> Any:
        """Return something of the same kind as `value`, or a little beside it."""
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return self.random.choice(
                (value + 1, value - 1, -value, value * 10**9, float(value), value + 0.5, str(value))
            )
        if isinstance(value, float):
            return self.random.choice((-value, value * 1e30, value / 1e30, value + 1, str(value)))
        if isinstance(value, str):
            return self._near_text(value)
        return self.value()

    def _near_text(self, value: str) -> str:
        changes = (
            value + self.text(), self.text() + value, value[: len(value) // 2], value * 50, value.upper(), value[::-1],
            value + "\x00", " " + value,
        )  # fmt: skip
        return self.random.choice(changes)

    def _container(self) -> Any:
        value = self.random.choice((self.text, self.number))()
        return self.random.choice(
            ([], {}, [value], [value] * 3, [[value]], {"a": value}, {str(value)[:40]: value}, [None] * 2000, [{}], [[]])
        )


def encode(value: Any, *, ascii_only: bool = True) -> str:
    """Return JSON text of a value that may hold `Raw` and `Members`."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, Members):
        return _members(value.items, ascii_only)
    if isinstance(value, dict):
        return _members(tuple(value.items()), ascii_only)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(encode(item, ascii_only=ascii_only) for item in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


def _members(items: tuple[tuple[str, Any], ...], ascii_only: bool) -> str:
    texts = (f"{json.dumps(str(key), ensure_ascii=ascii_only)}: {encode(v, ascii_only=ascii_only)}" for key, v in items)
    return "{" + ", ".join(texts) + "}"
