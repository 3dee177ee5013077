"""Image numbers: they continue per class after the highest one ever seen, and are never used twice."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from dataset.layout import MAX_NUMBER

LAST_COUNTED: Final = 999_999_999
"""The highest number that others follow: beyond it lie files that a person or another program has named so."""


class Numbering:
    """The numbers of each class that are taken, from files, sidecars, the journal and old tables.

    A single file with a number of ten digits or more does not use up all numbers below it: such are remembered one by
    one, so that whatever number is given out can be read back.
    """

    def __init__(self) -> None:
        self._highest: defaultdict[str, int] = defaultdict(int)
        self._beyond: defaultdict[str, set[int]] = defaultdict(set)

    def note(self, class_code: str, number: int) -> None:
        """Remember that a number is taken; one that no image can have is none."""
        if number <= LAST_COUNTED:
            self._highest[class_code] = max(self._highest[class_code], number)
        elif number <= MAX_NUMBER:
            self._beyond[class_code].add(number)

    def take(self, class_code: str) -> int:
        """Return the next free number and take it; the first is 1."""
        number = self._highest[class_code] + 1
        while number in self._beyond[class_code]:
            number += 1
        self._highest[class_code] = number
        return number

    def highest(self) -> dict[str, int]:
        """Return the highest number of each class that has one, up to `LAST_COUNTED`."""
        return {code: number for code, number in self._highest.items() if number <= LAST_COUNTED}
