"""Expert masks of the lesions as a second, auxiliary task that teaches the trunk where to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from core.errors import InputRefusedError
from core.message import Message
from photographs.labelled import LabelledImage
from photographs.masks import Masked, find_masks, read_mask
from photographs.pixels import middle_square

MASK_CHANNELS: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class TrainingMasks:
    """Masks of training images.

    Attributes
    ----------
    layers
        uint8, shape (N, 2, S, S): the lesion's share of each pixel, and 255 wherever that is known. An image without a
        mask is zero in both.
    words
        How many were found and how many of them are empty, in one sentence.
    """

    layers: Tensor
    words: Message


def read_masks(folder: Path, images: Sequence[LabelledImage], image_ids: Sequence[str], size: int) -> TrainingMasks:
    """Read the masks of some images of a data set in the crop of the photographs; see `photographs.masks`.

    Parameters
    ----------
    images
        The whole data set: a mask that would do for two of its images is taken for neither.
    image_ids
        Of the images whose masks are read, in this order.

    Raises
    ------
    InputRefusedError
        If no image has a mask, or a mask cannot be read.
    """
    wanted = set(image_ids)
    found = find_masks((Masked(image.image_id, image.code, image.path) for image in images), folder)
    own = {name: path for name, path in found.of.items() if name in wanted}
    if not own:
        raise InputRefusedError(
            Message("{folder} holds no mask of a training image. {found}", folder=folder, found=found.sentence()),
            remedy=Message("Name the folder with --set masks=FOLDER, or train without masks: --set mask_weight=0."),
            path=folder,
        )
    layers = np.zeros((len(image_ids), MASK_CHANNELS, size, size), dtype=np.uint8)
    for index, name in enumerate(image_ids):
        if name in own:
            layers[index] = _read_mask(own[name], size), np.full((size, size), 255)
    known = layers[:, 1].any(axis=(1, 2))
    empty = int((known & ~layers[:, 0].any(axis=(1, 2))).sum())
    ambiguous = tuple(name for name in found.ambiguous if name in wanted)
    words = replace(found, of=own, images=len(image_ids), ambiguous=ambiguous, unused=()).sentence(empty)
    return TrainingMasks(torch.from_numpy(layers), words)


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
    square = middle_square(read_mask(path)).astype(np.uint8) * np.uint8(255)
    return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BOX))
