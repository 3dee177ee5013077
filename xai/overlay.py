"""Arrays to pictures: one signed scale for each unit, symmetric about 0, no map where there is nothing to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.message import Message
from xai.colour import blend
from xai.explanation import Explanation, Style
from xai.marks import say_instead, stamp
from xai.methods import METHODS

Scalar = TypeVar("Scalar", bound=np.generic)

OPACITY: Final = 0.6
CLIP_PERCENTILE: Final = 99.5
SMOOTHING: Final = 0.01
"""Standard deviation of the blur of shown maps, as a fraction of the longer side. Raw arrays are never smoothed."""

SHOWN_SIDE: Final = 512
"""Small pictures are enlarged by whole factors to about this many pixels."""


def why_no_map(explanation: Explanation) -> tuple[str, str] | None:
    """Return a title and a sentence where no map may be drawn, or None where one may."""
    if not np.isfinite(explanation.attribution).all():
        return "NO ATTRIBUTION", Message("The attribution contains values that are not numbers.")
    if explanation.gate.level == "red":
        return "CHECKS FAILED", explanation.gate.reasons[0]
    if not explanation.attribution.any():
        return "NO ATTRIBUTION", Message("Every value of the attribution is 0: at this baseline no pixel matters.")
    if METHODS[explanation.method].of_difference and explanation.relative_delta is None:
        return "NOTHING TO EXPLAIN", Message("Image and baseline have nearly the same logit. Choose another baseline.")
    return None


def shown_map(explanation: Explanation) -> NDArray[np.float64]:
    """Return the map as it is drawn, in the method's unit: summed over the channels, then mildly smoothed; (H, W)."""
    total = explanation.attribution.sum(axis=2, dtype=np.float64)
    return _smooth(total, SMOOTHING * max(total.shape))


def shared_scale(explanations: Sequence[Explanation]) -> float:
    """Return the value at which the colours of all these maps, which must have one unit, saturate.

    It is the largest of the maps' 99.5th percentiles of the absolute value; 0 if none of them may be drawn.
    """
    drawn = [explanation for explanation in explanations if why_no_map(explanation) is None]
    return max((_scale(shown_map(explanation)) for explanation in drawn), default=0.0)


def shared_scales(explanations: Sequence[Explanation]) -> dict[str, float]:
    """Return the shared scale of each unit in which one of these maps may be drawn, in their order."""
    units = dict.fromkeys(METHODS[explanation.method].unit for explanation in explanations)
    scales = {unit: shared_scale([e for e in explanations if METHODS[e.method].unit == unit]) for unit in units}
    return {unit: scale for unit, scale in scales.items() if scale}


def render_overlay(
    explanation: Explanation, *, scale: float | None = None, opacity: float = OPACITY, style: Style = "signed"
) -> Image.Image:
    """Return the picture with the map over it, enlarged by a whole factor if it is small.

    Red supports the explained class, blue opposes it. Where no map may be drawn (red gate, zero or NaN map, nothing to
    explain) the picture is grey and hatched and says so.

    Parameters
    ----------
    scale
        Value at which the colours saturate, in the method's unit; the map's own `shared_scale` if None.
    opacity
        0 shows the picture alone; 1 the strongest colours.
    style
        See `xai.colour.blend`.
    """
    factor = enlargement(explanation.image)
    picture = _enlarge(explanation.image, factor)
    reason = why_no_map(explanation)
    if reason is not None:
        return say_instead(picture, explanation.gate.level, *reason)
    scale = scale or shared_scale([explanation])
    return Image.fromarray(blend(picture, _enlarge(shown_map(explanation), factor) / scale, opacity, style))


def render_marked(explanation: Explanation, *, scale: float | None = None, style: Style = "signed") -> Image.Image:
    """Return the overlay with the gate's icon and word in a corner, as it is saved."""
    return stamp(render_overlay(explanation, scale=scale, style=style), explanation.gate.level)


def enlargement(image: NDArray[np.uint8]) -> int:
    """Return the whole factor by which a picture is shown."""
    return max(1, round(SHOWN_SIDE / max(image.shape[:2])))


def _enlarge(array: NDArray[Scalar], factor: int) -> NDArray[Scalar]:
    return array.repeat(factor, axis=0).repeat(factor, axis=1)


def _scale(values: NDArray[np.float64]) -> float:
    magnitude = np.abs(values)
    return float(np.percentile(magnitude, CLIP_PERCENTILE) or magnitude.max())


def _smooth(values: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-9)) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        padding = [(reach, reach) if a == axis else (0, 0) for a in (0, 1)]
        padded = np.pad(values, padding, mode="symmetric")
        windows = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis=axis)
        values = windows @ kernel
    return values
