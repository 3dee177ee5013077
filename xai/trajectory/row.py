"""One comparison over several images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from xai.statistics import PairedResult

ENOUGH: Final = 6
"""From so many images on Wilcoxon's test can give p < 0.05 at all, and an interval means anything."""


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison over the images of one class.

    Attributes
    ----------
    map_row
        `own` for the map and the class themselves, else one of `controls.CONTROLS`.
    contrast
        Key of `summary.CONTRASTS`.
    values
        One difference for each image.
    """

    class_code: str
    intervention: str
    map_row: str
    contrast: str
    values: tuple[float, ...]
    result: PairedResult

    @property
    def is_judged(self) -> bool:
        """Whether there are enough images for the interval to mean anything: that of two nearly always misses 0."""
        return self.result.n >= ENOUGH

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON types."""
        return {
            "class": self.class_code,
            "intervention": self.intervention,
            "map": self.map_row,
            "contrast": self.contrast,
            "values": list(self.values),
            **self.result.to_json(),
        }
