"""Colour correction by statistics per class, exactly as ISICGenerator applied it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import InputRefusedError
from core.message import Message
from core.models.pack import read_json
from core.taxonomy import CLASS_INDEX

STRENGTH: Final = 0.35
"""Share of the corrected image in the result."""

SCALE_RANGE: Final = (0.6, 1.4)
MIN_STD: Final = 1e-6
MAX_VALUE: Final = 255


@dataclass(frozen=True, slots=True)
class ColorStatistics:
    """Mean and standard deviation of the R, G and B values (0..255) that a class's images should have."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def to_json(self) -> dict[str, list[float]]:
        """Return the statistics as the recipe keeps them."""
        return {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ColorStatistics:
        """Rebuild statistics; raises ValueError, TypeError or KeyError if they are none."""
        return cls(_triple(data["mean"]), _triple(data["std"]))


def load_color_statistics(path: Path) -> dict[str, ColorStatistics]:
    """Read `color_statistics.json`: ``{CLASS: {"rgb": {"mean": [r, g, b], "std": [r, g, b]}}}`` in 0..255.

    Raises
    ------
    InputRefusedError
        If the file is not of that form.
    """
    try:
        content: Mapping[str, Any] = read_json(path)
        known = {code: entry for code, entry in content.items() if code in CLASS_INDEX}
        return {code: ColorStatistics.from_json(entry["rgb"]) for code, entry in known.items()}
    except (ValueError, TypeError, KeyError) as error:
        raise InputRefusedError(
            Message("The colour statistics in {path} cannot be used: {error}.", path=path, error=error),
            remedy=Message("Repair or remove the file, or generate without colour correction (--no-color)."),
            path=path,
        ) from error


def apply_color_statistics(image: NDArray[np.uint8], statistics: ColorStatistics) -> NDArray[np.uint8]:
    """Return the image with its channel statistics moved towards those of its class.

    Per channel: ``scale = clip(std_t / max(std, 1e-6), 0.6, 1.4)``, ``shifted = (x - mean) * scale + mean_t``,
    result ``0.35 * shifted + 0.65 * x``, clipped to 0..255 and truncated.

    Parameters
    ----------
    image
        RGB, uint8, shape (H, W, 3).
    """
    pixels = image.astype(np.float32)
    mean, std = pixels.mean(axis=(0, 1)), pixels.std(axis=(0, 1))
    target_mean, target_std = np.array([statistics.mean, statistics.std], dtype=np.float32)
    scale = np.clip(target_std / np.maximum(std, MIN_STD), *SCALE_RANGE)
    shifted = (pixels - mean) * scale + target_mean
    blended = STRENGTH * shifted + (1 - STRENGTH) * pixels
    return np.clip(blended, 0, 255).astype(np.uint8)


def _triple(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    if not all(0 <= value <= MAX_VALUE for value in (red, green, blue)):  # false for NaN
        raise ValueError(f"{values} are no three colour values")
    return red, green, blue
