"""How well one picture repeats another: PSNR, SSIM, MAE and MSE of 8-bit pictures (H, W, 3)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

PEAK: Final = 255.0
WINDOW: Final = 7
"""Side of the squares in which SSIM compares (Wang et al. 2004); smaller pictures have none."""

Image = NDArray[np.uint8]


def psnr(first: Image, second: Image) -> float:
    """Return 10 log10(255^2 / MSE) in dB; infinity for identical images."""
    error = mse(first, second)
    return float("inf") if error == 0 else float(10 * np.log10(PEAK**2 / error))


def mse(first: Image, second: Image) -> float:
    """Return the mean squared difference of 8-bit values."""
    return float(np.square(first.astype(np.float64) - second).mean())


def mae(first: Image, second: Image) -> float:
    """Return the mean absolute difference of 8-bit values."""
    return float(np.abs(first.astype(np.float64) - second).mean())


def ssim(first: Image, second: Image) -> float:
    """Return the mean structural similarity over windows and channels, -1..1; NaN below 7 pixels a side."""
    if min(first.shape[:2]) < WINDOW:
        return float("nan")
    return float(structural_similarity(first, second, win_size=WINDOW, channel_axis=2, data_range=PEAK))
