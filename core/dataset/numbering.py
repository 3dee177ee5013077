"""Image numbers: they continue per class after the highest one ever seen, and are never used twice."""

from __future__ import annotations

from collections import defaultdict


class Numbering:
    """The highest number of each class, from files, sidecars, the journal and old tables."""

    def __init__(self) -> None:
        self._highest: defaultdict[str, int] = defaultdict(int)

    def note(self, class_code: str, number: int) -> None:
        """Remember that a number is taken."""
        self._highest[class_code] = max(self._highest[class_code], number)

    def take(self, class_code: str) -> int:
        """Return the next free number and take it; the first is 1."""
        self._highest[class_code] += 1
        return self._highest[class_code]

    def highest(self) -> dict[str, int]:
        """Return the highest number of each class that has one."""
        return dict(self._highest)
