"""Superpixels: the players that share a score. SLIC (Achanta et al. 2012) from scikit-image, the same each time."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.segmentation import slic

MAX_SIDE: Final = 256
"""Larger pictures are segmented in a reduced copy: no classifier here sees more."""

_COMPACTNESS: Final = (10.0, 30.0, 100.0)
_REQUESTS: Final = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0)
"""SLIC gives fewer segments than it is asked for, so it is asked for more."""

_ENOUGH: Final = 0.75


def superpixels(image: NDArray[np.uint8], most: int) -> NDArray[np.int32]:
    """Return the superpixel of each pixel, int32, shape (H, W), numbered from 0 without gaps.

    There are at most `most` of them, as near to it as SLIC gets; where it finds too few (noise, a strip of pixels) they
    are the cells of a grid.

    Parameters
    ----------
    image
        uint8, shape (H, W, 3); it is not changed.
    """
    small = _reduced(image)
    for compactness in _COMPACTNESS:
        found = _best(small, most, compactness)
        if found.max() + 1 >= _ENOUGH * most:
            return _enlarged(found, image.shape[:2])
    return _grid(image.shape[:2], most)


def _best(image: NDArray[np.uint8], most: int, compactness: float) -> NDArray[np.int32]:
    """Return the finest segmentation that does not exceed `most`."""
    best = np.zeros(image.shape[:2], np.int32)
    for request in _REQUESTS:
        found = slic(image, n_segments=round(request * most), compactness=compactness, sigma=1, start_label=0)
        numbered = np.unique(found, return_inverse=True)[1].reshape(found.shape).astype(np.int32)
        if best.max() < numbered.max() < most:
            best = numbered
    return best


def _grid(shape: tuple[int, ...], most: int) -> NDArray[np.int32]:
    height, width = shape
    rows = min(height, max(1, min(most, round(math.sqrt(most * height / width)))))
    columns = min(width, most // rows)
    row, column = np.arange(height) * rows // height, np.arange(width) * columns // width
    return (row[:, None] * columns + column).astype(np.int32)


def _reduced(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    factor = MAX_SIDE / max(image.shape[:2])
    if factor >= 1:
        return image
    height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))


def _enlarged(segments: NDArray[np.int32], shape: tuple[int, ...]) -> NDArray[np.int32]:
    rows, columns = (np.arange(new) * old // new for new, old in zip(shape, segments.shape, strict=True))
    return segments[rows[:, None], columns]
