"""From arrays to Qt images, in one tested place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtGui import QImage, QPixmap

if TYPE_CHECKING:  # annotations only: numpy takes a fifth of a second that the window's start does not have
    import numpy as np
    from numpy.typing import NDArray


def to_qimage(pixels: NDArray[np.uint8]) -> QImage:
    """Return a copy of uint8 pixels of shape (H, W, 3) as an image that owns its memory.

    The stride is always passed: Qt assumes lines of a multiple of four bytes and would skew other widths.
    """
    import numpy as np

    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"Expected uint8 pixels of shape (H, W, 3), not {pixels.dtype} {pixels.shape}")
    array = np.ascontiguousarray(pixels)
    height, width = array.shape[:2]
    return QImage(array.tobytes(), width, height, array.strides[0], QImage.Format.Format_RGB888).copy()


def to_pixmap(pixels: NDArray[np.uint8]) -> QPixmap:
    """Return uint8 pixels of shape (H, W, 3) as a pixmap; only in the GUI thread."""
    return QPixmap.fromImage(to_qimage(pixels))
