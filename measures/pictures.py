"""Many small images in one picture."""

from __future__ import annotations

import numpy as np
from PIL import Image

from measures.features import Images


def tile(images: Images, columns: int) -> Image.Image:
    """Put uint8 images (N, 3, S, S) side by side, `columns` a row; N must be a multiple of it."""
    array = np.asarray(images)
    rows = array.reshape(-1, columns, *array.shape[1:]).transpose(0, 3, 1, 4, 2)
    return Image.fromarray(rows.reshape(rows.shape[0] * rows.shape[1], -1, 3))
