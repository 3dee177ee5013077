"""Draws an explanation for the window; runs in the engine's process. No Qt."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gui.workers.engine import ExplainedPicture
from xai.colour import blend_signed
from xai.explanation import Explanation
from xai.overlay import render_overlay, shared_scale, why_no_map

RAMP: Final = 129
RAMP_GROUND: Final = 175
"""Grey level that the colour bar is drawn on: about that of a picture without its own colour."""


def draw(explanation: Explanation) -> ExplainedPicture:
    """Draw map and colour bar; where no map may be drawn, the picture that says so."""
    refusal = why_no_map(explanation)
    scale = shared_scale([explanation])
    overlay = np.asarray(render_overlay(explanation, scale=scale or None, opacity=1.0).convert("RGB"))
    return ExplainedPicture(explanation, overlay, scale, _ramp(), " ".join(refusal[1:]) if refusal else "")


def _ramp() -> NDArray[np.uint8]:
    ground = np.full((RAMP, 3), RAMP_GROUND, np.uint8)
    return blend_signed(ground, np.linspace(-1.0, 1.0, RAMP), 1.0)
