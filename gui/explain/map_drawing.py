"""Draws explanations for the window: any of them in any style, on one scale, without computing one anew. No Qt.

Called from a worker thread: nothing here is imported before the first map is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from xai.explanation import Explanation, Style
from xai.methods import METHODS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


RAMP: Final = 129
RAMP_GROUND: Final = 175
"""Grey level that the colour bar is drawn on: about that of a picture without its own colour."""


@dataclass(frozen=True, slots=True, eq=False)
class DrawnMap:
    """A map as a picture.

    Attributes
    ----------
    overlay
        The map over the picture at full opacity, uint8, (H, W, 3) in any resolution; the window fades it.
    values
        What the colours stand for, float32, shape (H, W) of the picture, in the unit of the method.
    low, high
        The values at the ends of the colour bar.
    colors
        The colours from `low` to `high`, uint8, shape (N, 3).
    no_map
        Why there is no map to be seen, in a sentence; then `overlay` is a picture that says so. Empty if there is one.
    """

    explanation: Explanation
    overlay: NDArray[np.uint8]
    style: Style
    values: NDArray[np.float32]
    low: float
    high: float
    colors: NDArray[np.uint8]
    no_map: str = ""


def draw_maps(
    explanations: Sequence[Explanation], style: Style, known: Sequence[DrawnMap] = ()
) -> tuple[DrawnMap, ...]:
    """Draw maps side by side: those of one unit on one scale, so that equal colours mean equal values.

    Parameters
    ----------
    known
        Maps drawn before; one that would look the same is taken from here.
    """
    from xai.overlay import shared_scales

    scales = shared_scales(explanations)
    drawn = {(id(one.explanation), one.style, one.high): one for one in known}
    pairs = [(found, scales.get(METHODS[found.method].unit, 0.0)) for found in explanations]
    return tuple(drawn.get((id(found), style, scale)) or _draw(found, style, scale) for found, scale in pairs)


def _draw(explanation: Explanation, style: Style, scale: float) -> DrawnMap:
    import numpy as np

    from xai.overlay import colour_ramp, render_overlay, shown_map, why_no_map

    refusal = why_no_map(explanation)
    overlay = np.asarray(render_overlay(explanation, scale=scale or None, opacity=1.0, style=style).convert("RGB"))
    return DrawnMap(
        explanation,
        overlay,
        style,
        shown_map(explanation).astype(np.float32),
        -scale if style == "signed" else 0.0,
        scale,
        colour_ramp(style, RAMP, RAMP_GROUND),
        refusal[1] if refusal else "",
    )
