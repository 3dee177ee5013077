"""Photographs of one split in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.models.classification.loading import Triple
from photographs.labelled import LabelledImage, labels_of, lesion_hash
from photographs.pixels import load_pixels


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
