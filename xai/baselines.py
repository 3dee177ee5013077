"""Baselines: the pictures without evidence that an image is compared with. All in the image's own pixel space, 0..1.

Attribution is relative to a baseline, and where the two agree it is zero: a black lesion gets nothing under a black
baseline (Sturmfels et al., Distill 2020). So the default is the patient's own skin.

A new baseline is one decorated function here, or in any module that is imported. Names can be read without numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.message import Message
from core.registry import Registry

if TYPE_CHECKING:  # annotations only: the settings know the baselines before the window is visible
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.float32]

Triple = tuple[float, float, float]
Make = Callable[["NDArray[np.uint8]", int], "tuple[Picture, ...]"]
"""(picture, seed) -> the baseline, or several to average over; each float32, of the picture's shape, 0..1."""

BORDER_FRACTION: Final = 0.05
VIGNETTE: Final = 40
"""Border pixels whose brightest channel is below this are taken to be the dark corner of the dermatoscope, not skin."""

BLUR_FRACTION: Final = 0.1
DATASET_MEAN: Final[Triple] = (0.7467, 0.5499, 0.5764)
"""Mean colour of 4,810 photographs of HAM10000 (the middle 450x450 pixels), measured. What a classifier subtracts from
its input is often another colour (ImageNet's, grey, black) and no stand-in for it."""

MULTI: Final = ("skin", "blur", "mean", "noise")


@dataclass(frozen=True, slots=True)
class Baseline:
    """One baseline.

    Attributes
    ----------
    key
        As on the command line, in settings and in files.
    hint
        What it is made of, as figures say it.
    make
        Makes it.
    """

    key: str
    title: str
    hint: str
    make: Make


BASELINES: Final[Registry[Baseline]] = Registry("baseline", "baselines")


def baseline(key: str, *, title: str, hint: str) -> Callable[[Make], Make]:
    """Declare, as a decorator of the function that makes it, a baseline."""

    def declare(make: Make) -> Make:
        BASELINES.add(Baseline(key, title, hint, make))
        return make

    return declare


def make_baselines(name: str, image: NDArray[np.uint8], seed: int = 0) -> tuple[Picture, ...]:
    """Return the baseline pictures of a name in `BASELINES`: one, or several to average over.

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
    return BASELINES[name].make(image, seed)


@baseline("skin", title=Message("skin tone"), hint=Message("Skin tone (median of the image's border)."))
def _skin(image: NDArray[np.uint8], _seed: int) -> tuple[Picture, ...]:
    return (_constant(skin_tone(image), image),)


@baseline("blur", title=Message("blurred image"), hint=Message("The image itself, strongly blurred."))
def _blur(image: NDArray[np.uint8], _seed: int) -> tuple[Picture, ...]:
    return (_blurred(image),)


@baseline("mean", title=Message("mean colour"), hint=Message("The mean colour of the HAM10000 photographs."))
def _mean(image: NDArray[np.uint8], _seed: int) -> tuple[Picture, ...]:
    return (_constant(DATASET_MEAN, image),)


@baseline("noise", title=Message("noise"), hint=Message("Uniform noise (seeded)."))
def _noise(image: NDArray[np.uint8], seed: int) -> tuple[Picture, ...]:
    import numpy as np

    return (np.random.default_rng(seed).random(image.shape, dtype=np.float32),)


@baseline("black", title=Message("black"), hint=Message("Black (dark lesions get no attribution)."))
def _black(image: NDArray[np.uint8], _seed: int) -> tuple[Picture, ...]:
    return (_constant((0.0, 0.0, 0.0), image),)


@baseline(
    "multi",
    title=Message("several, averaged"),
    hint=Message("Average over skin tone, blur, mean colour and noise."),
)
def _multi(image: NDArray[np.uint8], seed: int) -> tuple[Picture, ...]:
    return tuple(picture for part in MULTI for picture in make_baselines(part, image, seed))


def skin_tone(image: NDArray[np.uint8]) -> Triple:
    """Return the median colour of the border, 0..1, without the dark corners of the dermatoscope where possible."""
    import numpy as np

    border = _border(image)
    bright = border[border.max(axis=1) >= VIGNETTE]
    r, g, b = np.median(bright if len(bright) >= len(border) / 10 else border, axis=0) / 255
    return float(r), float(g), float(b)


def _border(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import numpy as np

    height, width = image.shape[:2]
    ring = max(1, round(BORDER_FRACTION * min(height, width)))
    inside = np.zeros((height, width), bool)
    inside[ring : height - ring, ring : width - ring] = True
    return image[~inside]


def _constant(colour: Triple, image: NDArray[np.uint8]) -> Picture:
    import numpy as np

    return np.full(image.shape, colour, np.float32)


def _blurred(image: NDArray[np.uint8]) -> Picture:
    import numpy as np
    from PIL import Image, ImageFilter

    radius = BLUR_FRACTION * max(image.shape[:2])
    blurred = Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(blurred, np.float32) / np.float32(255)
