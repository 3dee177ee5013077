"""The three splits of a classifier in memory, and the random views that training sees of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from classifier.config import ClassifierConfig
from core.dataset.labelled import LabelledImage, hold_out_lesions, labels_of, lesion_hash, read_labels, read_pixels


@dataclass(frozen=True)
class Split:
    """Images of one split: pixels (N, 3, S, S) uint8, labels (N,) int64, lesion ids in the same order."""

    pixels: Tensor
    labels: Tensor
    lesions: tuple[str, ...]
    fingerprint: str

    @classmethod
    def read(cls, images: list[LabelledImage], size: int) -> Split:
        """Read the pixels of `images`."""
        pixels = torch.from_numpy(read_pixels(images, size))
        lesions = tuple(image.lesion_id for image in images)
        return cls(pixels, torch.from_numpy(labels_of(images)), lesions, lesion_hash(images))

    def __len__(self) -> int:
        return len(self.labels)

    def channel_statistics(self) -> tuple[list[float], list[float]]:
        """Return mean and standard deviation of each channel on the 0..1 scale, rounded to 4 digits."""
        values = self.pixels.transpose(0, 1).reshape(3, -1).float() / 255
        return [round(m, 4) for m in values.mean(1).tolist()], [round(s, 4) for s in values.std(1).tolist()]


def read_splits(folder: Path, config: ClassifierConfig) -> tuple[Split, Split, Split]:
    """Return (train, validation, test) of the images that the table does not reserve for validation itself."""
    images = [image for image in read_labels(folder) if image.split != "val"]
    test, rest = hold_out_lesions(images, config.test_fraction, "test")
    validation, train = hold_out_lesions(rest, config.validation_fraction, "validation")
    return (
        Split.read(train, config.image_size),
        Split.read(validation, config.image_size),
        Split.read(test, config.image_size),
    )


def read_extra(folder: Path, config: ClassifierConfig) -> Split | None:
    """Return the images that the table marks as `val`, or None if it marks none."""
    images = [image for image in read_labels(folder) if image.split == "val"]
    return Split.read(images, config.image_size) if images else None


def augment(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Return random views of an (N, 3, S, S) batch on the 0..1 scale: turned, mirrored, scaled, shifted, recoloured."""
    grid = functional.affine_grid(random_affine(len(pixels), generator), list(pixels.shape), align_corners=False)
    views = functional.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)
    return recolour(views, generator)


def random_affine(count: int, generator: torch.Generator) -> Tensor:
    """Return (count, 2, 3) matrices: any rotation, mirror, scale 0.8..1.15, shift up to a tenth of the half width."""
    angle = torch.rand(count, generator=generator) * 2 * math.pi
    scale = 0.8 + 0.35 * torch.rand(count, generator=generator)
    mirror = torch.randint(2, (count,), generator=generator) * 2.0 - 1
    shift = (torch.rand(count, 2, generator=generator) - 0.5) * 0.2
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    rows = [torch.stack([mirror * cosine, -sine, shift[:, 0]], 1), torch.stack([mirror * sine, cosine, shift[:, 1]], 1)]
    return torch.stack(rows, 1)


def recolour(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Vary brightness and contrast by up to 15 % and each channel by up to 8 %, within 0..1."""
    count = len(pixels)
    gain = 1 + 0.15 * _symmetric((count, 1, 1, 1), generator) + 0.08 * _symmetric((count, 3, 1, 1), generator)
    contrast = 1 + 0.15 * _symmetric((count, 1, 1, 1), generator)
    mean = pixels.mean((1, 2, 3), keepdim=True)
    return (((pixels - mean) * contrast + mean) * gain).clamp(0, 1)


def _symmetric(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator) * 2 - 1
