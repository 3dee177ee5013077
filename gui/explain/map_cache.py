"""Explanations in memory: looked up by what was asked of which pixels, the least recently used go first."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from xai.explanation import ExplainOptions, Explanation

MEGABYTE: Final = 1_000_000
MAX_BYTES: Final = 192 * MEGABYTE
"""Some thousand maps of 128-pixel images, or some dozen of photographs."""


@dataclass(frozen=True, slots=True)
class MapKey:
    """One method asked of one picture.

    Attributes
    ----------
    content
        SHA-256 of the pixels.
    label
        The class the picture stands for.
    options
        With this one method only.
    """

    content: str
    label: str | None
    options: ExplainOptions

    @property
    def method(self) -> str:
        """The method's key."""
        return self.options.methods[0]


class MapCache:
    """Keeps explanations as long as their arrays take less than `max_bytes`."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[MapKey, Explanation] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: MapKey) -> Explanation | None:
        """Return what is kept, and keep it longer."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: MapKey, explanation: Explanation) -> None:
        """Keep an explanation; the latest one is kept whatever its size."""
        self._drop(key)
        self._kept[key] = explanation
        self._bytes += size_of(explanation)
        while self._bytes > self._max_bytes and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: MapKey) -> None:
        gone = self._kept.pop(key, None)
        self._bytes -= size_of(gone) if gone is not None else 0


def size_of(explanation: Explanation) -> int:
    """Return the bytes that the arrays of an explanation take."""
    arrays = (explanation.image, explanation.attribution, explanation.standard_error, explanation.segments)
    return sum(array.nbytes for array in arrays if array is not None)
