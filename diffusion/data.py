"""Training images in memory and the random batches drawn from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from core.dataset.labelled import LabelledImage, hold_out_lesions, labels_of, read_labels, read_pixels
from core.taxonomy import CLASSES
from core.training.runtime import class_weights, dihedral
from diffusion.config import DiffusionConfig
from diffusion.model import NULL_CLASS


@dataclass(frozen=True)
class ImagePool:
    """Pixels (N, 3, S, S) uint8, labels (N,) int64 and the sampling weight of every image (N,) float64."""

    pixels: Tensor
    labels: Tensor
    weights: Tensor

    @classmethod
    def of(cls, pixels: Tensor, labels: Tensor, power: float) -> ImagePool:
        """Weight the images so that a class is drawn in proportion to its count to the given power."""
        return cls(pixels, labels, class_weights(labels, len(CLASSES), power))


def training_images(folder: Path, config: DiffusionConfig) -> list[LabelledImage]:
    """Return the images of all lesions that are neither held out here nor reserved by the table itself.

    The held-out lesions are those that a classifier of the same `test_fraction` is tested on.
    """
    images = [image for image in read_labels(folder) if image.split != "val"]
    return hold_out_lesions(images, config.test_fraction, "test")[1]


def read_pool(folder: Path, config: DiffusionConfig) -> ImagePool:
    """Read the training images into memory."""
    images = training_images(folder, config)
    pixels = torch.from_numpy(read_pixels(images, config.image_size))
    return ImagePool.of(pixels, torch.from_numpy(labels_of(images)), config.sampling_power)


def draw_batch(
    pool: ImagePool, config: DiffusionConfig, half: bool, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return one batch: pixels float32 in -1..1, turned and mirrored at random, and labels with some dropped.

    With `half` the images are shown at half their side.
    """
    chosen = torch.multinomial(pool.weights, config.batch_size, replacement=True, generator=generator)
    pixels = dihedral(pool.pixels[chosen], generator).float() / 127.5 - 1
    labels = drop_labels(pool.labels[chosen], config.label_dropout, generator)
    return (functional.avg_pool2d(pixels, 2) if half else pixels), labels


def drop_labels(labels: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Replace each label by the null class with probability `share`."""
    dropped = torch.rand(len(labels), generator=generator) < share
    return labels.masked_fill(dropped, NULL_CLASS)
