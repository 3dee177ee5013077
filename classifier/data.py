"""Photographs of one split in memory.

Expert masks of the lesions are a second, auxiliary task that teaches the trunk where to look.
"""

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
from core.models.classification.loading import Triple
from photographs.labelled import LabelledImage, labels_of, lesion_hash
from photographs.masks import Masked, find_masks, read_mask
from photographs.pixels import load_pixels, middle_square


@dataclass(frozen=True, eq=False)
class Split:
    """Images of one split.

    Attributes
    ----------
    pixels
        uint8 RGB, shape (N, 3, S, S).
    labels
        Class of each image, shape (N,), int64.
    lesions, image_ids
        Of each image, in the same order.
    fingerprint
        SHA-256 of the lesion ids.
    warning
        One sentence that counts and names the files that could not be read; "" if there is none.
    """

    pixels: Tensor
    labels: Tensor
    lesions: tuple[str, ...]
    image_ids: tuple[str, ...]
    fingerprint: str
    warning: str = ""

    @classmethod
    def read(cls, images: Sequence[LabelledImage], size: int) -> Split:
        """Read the middle squares of `images`; files that cannot be read are left out and named in `warning`.

        Raises
        ------
        InputRefusedError
            If more than 5 % of the files cannot be read, or every file of a class.
        """
        pixels = load_pixels(images, size)
        kept = pixels.images
        return cls(
            torch.from_numpy(pixels.array),
            torch.from_numpy(labels_of(kept)),
            tuple(image.lesion_id for image in kept),
            tuple(image.image_id for image in kept),
            lesion_hash(kept),
            pixels.warning,
        )

    def __len__(self) -> int:
        return len(self.labels)


def channel_statistics(pixels: Tensor) -> tuple[Triple, Triple]:
    """Return mean and standard deviation of each channel of uint8 pixels (N, 3, H, W) on the 0..1 scale, 4 digits.

    Counted from histograms, so that no copy of the data in floating point is made.
    """
    counts = np.stack([np.bincount(pixels[:, c].reshape(-1).numpy(), minlength=256) for c in range(3)])
    levels = np.arange(256) / 255
    mean = counts @ levels / counts.sum(1)
    deviation = np.sqrt(counts @ levels**2 / counts.sum(1) - mean**2)
    return _triple(mean), _triple(deviation)


def _triple(values: npt.NDArray[np.float64]) -> Triple:
    r, g, b = (round(float(value), 4) for value in values)
    return r, g, b


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
