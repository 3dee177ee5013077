"""Signed values as colour over a picture: even steps in OKLab towards blue or red, so that neither sign looks stronger.

OKLab: Ottosson 2020, https://bottosson.github.io/posts/oklab/. The two ends have the same lightness and chroma and
differ in a way that all common kinds of colour blindness keep (blue against orange-red).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from xai.explanation import Style

Floats = NDArray[np.float64]

_RGB_TO_LMS: Final = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LMS_TO_LAB: Final = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_LIGHTNESS: Final = 0.57
_CHROMA: Final = 0.19


def _end(hue_degrees: float) -> Floats:
    hue = np.deg2rad(hue_degrees)
    return np.array([_LIGHTNESS, _CHROMA * np.cos(hue), _CHROMA * np.sin(hue)])


POSITIVE: Final = _end(28.0)
NEGATIVE: Final = _end(258.0)


def blend_signed(base: NDArray[np.uint8], strength: Floats, opacity: float) -> NDArray[np.uint8]:
    """Tint a picture: red where strength is positive, blue where it is negative, untouched where it is 0.

    Parameters
    ----------
    base
        uint8 RGB, shape (H, W, 3).
    strength
        Shape (H, W), clipped to -1..1; how far the colour moves in OKLab towards its end is proportional to it.
    opacity
        0 leaves the picture as it is; 1 takes all its own colour and lets +-1 reach the pure end colours.
    """
    if opacity <= 0:
        return base.copy()
    lab = to_oklab(base)
    lab[..., 1:] *= (1 - opacity) ** 2  # pink skin must not look like a red value
    amount = (np.clip(np.abs(strength), 0, 1) * opacity)[..., None]
    ends = np.where((strength > 0)[..., None], POSITIVE, NEGATIVE)
    return from_oklab(lab + (ends - lab) * amount)


def blend(base: NDArray[np.uint8], strength: Floats, opacity: float, style: Style) -> NDArray[np.uint8]:
    """Show a map over a picture in one of the `STYLES`.

    Parameters
    ----------
    base
        uint8 RGB, shape (H, W, 3).
    strength
        Shape (H, W), 1 where the colours saturate.
    opacity
        0 leaves the picture as it is.
    style
        `signed`: red supports, blue opposes. `positive`: only red. `jet`: positive values in the rainbow
        of older figures, over the whole picture; it is neither even to the eye nor safe for the colour-blind.
    """
    if style == "signed":
        return blend_signed(base, strength, opacity)
    positive = np.clip(strength, 0, 1)
    if style == "positive":
        return blend_signed(base, positive, opacity)
    return np.asarray(np.rint(base * (1 - opacity) + 255 * opacity * _jet(positive)), np.uint8)


def colour_ramp(style: Style, count: int, ground: int, opacity: float = 1.0) -> NDArray[np.uint8]:
    """Return the colours of a colour bar over a grey ground, uint8, shape (count, 3).

    From -scale to +scale for `signed`, from 0 to +scale for the other styles.
    """
    values = np.linspace(-1.0 if style == "signed" else 0.0, 1.0, count)
    return blend(np.full((count, 1, 3), ground, np.uint8), values[:, None], opacity, style)[:, 0]


def _jet(values: Floats) -> Floats:
    """Return the classic rainbow for values (...) in 0..1: blue, cyan, yellow, red; shape (..., 3)."""
    peaks = 4 * values[..., None] - np.array([3.0, 2.0, 1.0])
    return np.clip(1.5 - np.abs(peaks), 0, 1)


def grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture without colour, as RGB."""
    lab = to_oklab(picture)
    lab[..., 1:] = 0
    return from_oklab(lab)


def to_oklab(rgb: NDArray[np.uint8]) -> Floats:
    """Convert sRGB, uint8, shape (..., 3), to OKLab."""
    value = rgb / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    lab: Floats = np.cbrt(linear @ _RGB_TO_LMS.T) @ _LMS_TO_LAB.T
    return lab


def from_oklab(lab: Floats) -> NDArray[np.uint8]:
    """Convert OKLab, shape (..., 3), to sRGB uint8; colours outside sRGB are clipped."""
    lms = (lab @ np.linalg.inv(_LMS_TO_LAB).T) ** 3
    linear = np.clip(lms @ np.linalg.inv(_RGB_TO_LMS).T, 0, 1)
    value = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(value * 255), np.uint8)
