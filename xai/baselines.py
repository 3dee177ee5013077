"""Baselines: the pictures without evidence that an image is compared with. All in the image's own pixel space, 0..1.

Attribution is relative to a baseline, and where the two agree it is zero: a black lesion gets nothing under a black
baseline (Sturmfels et al., Distill 2020). So the default is the patient's own skin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from core.classification.preprocessing import Triple

Picture = NDArray[np.float32]

BORDER_FRACTION: Final = 0.05
VIGNETTE: Final = 40
"""Border pixels whose brightest channel is below this are taken to be the dark corner of the dermatoscope, not skin."""

BLUR_FRACTION: Final = 0.1
DATASET_MEAN: Final[Triple] = (0.7467, 0.5499, 0.5764)
"""Mean colour of 4,810 photographs of HAM10000 (the middle 450x450 pixels), measured. What a classifier subtracts from
its input is often another colour (ImageNet's, grey, black) and no stand-in for it."""

MULTI: Final = ("skin", "blur", "mean", "noise")

DESCRIPTIONS: Final[dict[str, str]] = {
    "skin": "skin tone (median of the image's border)",
    "blur": "the image itself, strongly blurred",
    "mean": "the mean colour of the HAM10000 photographs",
    "noise": "uniform noise (seeded)",
    "black": "black (dark lesions get no attribution)",
    "multi": "average over skin tone, blur, mean colour and noise",
}


def make_baselines(name: str, image: NDArray[np.uint8], seed: int = 0) -> tuple[Picture, ...]:
    """Return the baseline pictures of a name in `BASELINES`: one, or several to average over for `multi`.

    Parameters
    ----------
    image
        uint8, shape (H, W, 3); it is not changed.
    seed
        Of the noise.

    Returns
    -------
    float32 arrays of the image's shape, in 0..1.
    """
    makers: dict[str, Callable[[], Picture]] = {
        "skin": lambda: _constant(skin_tone(image), image),
        "blur": lambda: _blurred(image),
        "mean": lambda: _constant(DATASET_MEAN, image),
        "noise": lambda: np.random.default_rng(seed).random(image.shape, dtype=np.float32),
        "black": lambda: np.zeros(image.shape, np.float32),
    }
    return tuple(makers[part]() for part in (MULTI if name == "multi" else (name,)))


def skin_tone(image: NDArray[np.uint8]) -> Triple:
    """Return the median colour of the border, 0..1, without the dark corners of the dermatoscope where possible."""
    border = _border(image)
    bright = border[border.max(axis=1) >= VIGNETTE]
    r, g, b = np.median(bright if len(bright) >= len(border) / 10 else border, axis=0) / 255
    return float(r), float(g), float(b)


def _border(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    ring = max(1, round(BORDER_FRACTION * min(height, width)))
    inside = np.zeros((height, width), bool)
    inside[ring : height - ring, ring : width - ring] = True
    return image[~inside]


def _constant(colour: Triple, image: NDArray[np.uint8]) -> Picture:
    return np.full(image.shape, colour, np.float32)


def _blurred(image: NDArray[np.uint8]) -> Picture:
    radius = BLUR_FRACTION * max(image.shape[:2])
    blurred = Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(blurred, np.float32) / np.float32(255)
