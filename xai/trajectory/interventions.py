"""Four ways to destroy what a region shows and leave the rest of the picture alone; values are pixels in 0..1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from xai.trajectory.regions import Mask

Picture = NDArray[np.float64]
"""Shape (H, W, 3), 0..1."""

NOISE_STD: Final = 0.25
"""As the predecessor's 0.5 for pixels in [-1, 1]."""

BLUR_SIGMA: Final = 0.05
"""As a fraction of the longer side."""

PATCH: Final = 1 / 32
"""Side of the shuffled patches, as a fraction of the longer side."""


def add_noise(picture: Picture, mask: Mask, rng: np.random.Generator) -> Picture:
    """Add normal noise of standard deviation 0.25 inside the region; clipped to 0..1.

    The noise is drawn for the whole picture, so that two regions under the same `rng` differ by their place alone.
    """
    noisy = (picture + rng.normal(0, NOISE_STD, picture.shape)).clip(0, 1)
    return np.where(mask[..., None], noisy, picture)


def blur(picture: Picture, mask: Mask, _rng: np.random.Generator) -> Picture:
    """Replace the region by the picture blurred with a Gaussian of 5 % of its side."""
    sigma = BLUR_SIGMA * max(mask.shape)
    blurred = gaussian_filter(picture, (sigma, sigma, 0))
    return np.where(mask[..., None], blurred, picture)


def shuffle_patches(picture: Picture, mask: Mask, rng: np.random.Generator) -> Picture:
    """Shuffle the square patches that lie wholly inside the region, and all its other pixels among themselves."""
    side = max(1, round(PATCH * max(mask.shape)))
    shuffled, rest = picture.copy(), mask.copy()
    corners = _whole_patches(mask, side)
    for (y, x), (v, u) in zip(corners, rng.permutation(corners), strict=True):
        shuffled[y : y + side, x : x + side] = picture[v : v + side, u : u + side]
        rest[y : y + side, x : x + side] = False
    pixels = np.flatnonzero(rest)
    shuffled.reshape(-1, 3)[pixels] = picture.reshape(-1, 3)[rng.permutation(pixels)]
    return shuffled


def make_constant(picture: Picture, mask: Mask, _rng: np.random.Generator) -> Picture:
    """Paint the region in its own median colour."""
    return np.where(mask[..., None], np.median(picture[mask], axis=0), picture)


INTERVENTIONS: Final[dict[str, Callable[[Picture, Mask, np.random.Generator], Picture]]] = {
    "noise": add_noise,
    "blur": blur,
    "shuffle": shuffle_patches,
    "const": make_constant,
}

TITLES: Final = {
    "noise": "noise",
    "blur": "Gaussian blur",
    "shuffle": "patch shuffle",
    "const": "median colour",
}

RANDOM_ONES: Final = ("noise", "shuffle")
"""Those that come out differently every time, and so are averaged over several repeats."""


def _whole_patches(mask: Mask, side: int) -> NDArray[np.int64]:
    """Return the upper left corners of the patches of a fixed grid that lie inside the region, shape (n, 2)."""
    height, width = mask.shape[0] // side * side, mask.shape[1] // side * side
    blocks = mask[:height, :width].reshape(height // side, side, width // side, side)
    return np.argwhere(blocks.all(axis=(1, 3))) * side
