"""What a denoising step is doing, in a sentence for whoever watches it.

Measured on the starter models (20 steps, 8 images of three classes): the correlation of the predicted image with the
finished one, by the size of its structures in cycles across the picture (``benchmarks/what_steps_decide.py``).

======== =========== =========== ==========
timestep 1-3 cycles  4-12 cycles finer
======== =========== =========== ==========
945      0.69        0.04        -0.01
796      0.91        0.39        0.10
498      0.98        0.70        0.20
298      0.99        0.84        0.38
149      1.00        0.96        0.68
50       1.00        1.00        1.00
======== =========== =========== ==========

The average colour is within 9 of 255 of the finished one from timestep 945 on.
"""

from __future__ import annotations

import enum
from typing import Final

from gui.i18n import tr

LAYOUT_DOWN_TO: Final = 800
SHAPE_DOWN_TO: Final = 300
"""Timesteps of the thousand that the models are trained with."""


class Phase(enum.Enum):
    """What is mainly being decided."""

    LAYOUT = "layout"
    SHAPE = "shape"
    TEXTURE = "texture"


def phase_of(timestep: int) -> Phase:
    """Return what is mainly being decided at a timestep, 0..1000."""
    if timestep >= LAYOUT_DOWN_TO:
        return Phase.LAYOUT
    return Phase.SHAPE if timestep >= SHAPE_DOWN_TO else Phase.TEXTURE


def what_happens(timestep: int) -> str:
    """Say in a sentence or two what a step at this timestep is doing."""
    return {
        Phase.LAYOUT: tr("Mostly noise. Overall colour and the rough layout of light and dark are fixed."),
        Phase.SHAPE: tr("The layout is fixed; lesion shape and border are forming."),
        Phase.TEXTURE: tr("The shape is fixed; only the fine texture still changes."),
    }[phase_of(timestep)]
