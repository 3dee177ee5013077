"""Expert masks of the lesions as a second, auxiliary task that teaches the trunk where to look."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from core.errors import InputRefusedError
from core.images import read_image
from photographs.pixels import middle_square

MASK_CHANNELS: Final = 2


def read_masks(folder: Path, image_ids: Sequence[str], size: int) -> Tensor:
    """Read `<folder>/<image id>.png` in the crop of the photographs.

    Returns
    -------
    uint8, shape (N, 2, size, size): the lesion's share of each pixel, and 255 wherever that is known. An image without
    a mask is zero in both.

    Raises
    ------
    InputRefusedError
        If no image has a mask, or a mask cannot be read.
    """
    masks = np.zeros((len(image_ids), MASK_CHANNELS, size, size), dtype=np.uint8)
    for index, name in enumerate(image_ids):
        path = folder / f"{name}.png"
        if path.is_file():
            masks[index] = _read_mask(path, size), np.full((size, size), 255)
    if not masks[:, 1].any():
        raise InputRefusedError(
            f"{folder} holds no mask '<image id>.png' of a training image.",
            remedy="Name the folder with --set masks=FOLDER, or train without masks: --set mask_weight=0.",
            path=folder,
        )
    return torch.from_numpy(masks)


def mask_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Return the mean binary cross-entropy of mask logits over what is known.

    Parameters
    ----------
    logits
        At the resolution of the last feature map, (N, 1, h, w).
    masks
        Lesion and knownness in 0..1, (N, 2, H, W); averaged over each cell of the feature map.

    Returns
    -------
    A scalar; 0 if nothing is known.
    """
    height, width = logits.shape[-2:]
    lesion, known = functional.adaptive_avg_pool2d(masks, (height, width)).split(1, dim=1)
    share = (lesion / known.clamp_min(1e-6)).clamp(0, 1)
    losses = functional.binary_cross_entropy_with_logits(logits, share, reduction="none")
    return (losses * known).sum() / known.sum().clamp_min(1e-6)


def _read_mask(path: Path, size: int) -> npt.NDArray[np.uint8]:
    square = middle_square(read_image(path))[..., 0]
    return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BOX))
