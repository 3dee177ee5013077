"""From images in memory to what one optimiser step sees of them.

The random views that training sees of its images, and their blends, made for a whole batch at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.transforms import v2

from classifier.config import ClassifierConfig
from classifier.data import Split
from core.taxonomy import CLASSES
from training.runtime import class_weights, dihedral

Augmentation = Literal["none", "dihedral", "full"]


def make_views(layers: Tensor, kind: Augmentation, generator: torch.Generator) -> Tensor:
    """Return random views of a batch.

    Parameters
    ----------
    layers
        On the 0..1 scale, (N, 3 + K, S, S): RGB, then layers that move with it but are not recoloured.
    generator
        On the CPU, whatever the device of `layers`: the same draws on every machine.
    """
    if kind == "none":
        return layers
    if kind == "dihedral":
        return dihedral(layers, generator)
    moved = warp(layers, random_affine(len(layers), generator))
    return torch.cat([recolour(moved[:, :3], generator), moved[:, 3:]], dim=1)


def warp(layers: Tensor, matrices: Tensor) -> Tensor:
    """Move each image of (N, C, S, S) by its affine map, (N, 2, 3); what comes from outside is mirrored."""
    grid = functional.affine_grid(matrices.to(layers), list(layers.shape), align_corners=False)
    return functional.grid_sample(layers, grid, padding_mode="reflection", align_corners=False)


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
    return (((pixels - mean) * contrast.to(pixels) + mean) * gain.to(pixels)).clamp(0, 1)


def _symmetric(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator) * 2 - 1


def blend(
    layers: Tensor, targets: Tensor, mixup_alpha: float, cutmix_alpha: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Blend each image with its neighbour in the batch, and their targets in the same proportion.

    MixUp (Zhang et al. 2018, arXiv:1710.09412) and CutMix (Yun et al. 2019, arXiv:1905.04899) of torchvision.

    Parameters
    ----------
    layers
        Images with whatever else belongs to them, (N, C, S, S), in random order.
    targets
        Probabilities, (N, K).
    mixup_alpha, cutmix_alpha
        Parameters of the two beta distributions; 0 is off. With both, the batch draws one of them.
    """
    blends = [kind(alpha=alpha) for kind, alpha in ((v2.MixUp, mixup_alpha), (v2.CutMix, cutmix_alpha)) if alpha > 0]
    if not blends:
        return layers, targets
    seed = int(torch.randint(2**62, (), generator=generator))
    with torch.random.fork_rng(devices=[]):  # torchvision draws from the global generator
        torch.manual_seed(seed)
        mixed, soft = v2.RandomChoice(blends)(layers, targets)
    return mixed, soft


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step learns from.

    Attributes
    ----------
    pixels
        On the 0..1 scale, (N, 3, S, S).
    targets
        Probability of each class, (N, K).
    masks
        Lesion and knownness as `read_masks` returns them, on the 0..1 scale; None without masks.
    """

    pixels: Tensor
    targets: Tensor
    masks: Tensor | None


class Batches:
    """Draws the batches of an epoch and makes them.

    Parameters
    ----------
    masks
        As `read_masks` returns them, in the order of the split; None without masks.
    """

    def __init__(self, config: ClassifierConfig, split: Split, masks: Tensor | None, device: torch.device) -> None:
        self._config, self._split, self._masks, self._device = config, split, masks, device
        self._chances = class_weights(split.labels, len(CLASSES), power=0.0)

    def draw_epoch(self, generator: torch.Generator) -> list[Tensor]:
        """Return the image numbers of each batch: as many as there are images, in batches of nearly equal size."""
        count = len(self._split)
        if self._config.balance == "sampling":
            order = torch.multinomial(self._chances, count, replacement=True, generator=generator)
        else:
            order = torch.randperm(count, generator=generator)
        # a batch of one image would be too small for batch norm: three images in batches of two are one batch
        return list(order.tensor_split(min(math.ceil(count / self._config.batch_size), max(1, count // 2))))

    def make(self, indices: Tensor, generator: torch.Generator) -> Batch:
        """Return random views of these images, blended if the settings say so."""
        layers = self._split.pixels[indices]
        if self._masks is not None:
            layers = torch.cat([layers, self._masks[indices]], dim=1)
        targets = functional.one_hot(self._split.labels[indices], len(CLASSES)).float()
        views = make_views(layers.to(self._device) / 255, self._config.augmentation, generator)
        alphas = self._config.mixup_alpha, self._config.cutmix_alpha
        mixed, targets = blend(views, targets.to(self._device), *alphas, generator)
        return Batch(mixed[:, :3], targets, mixed[:, 3:] if self._masks is not None else None)


def loss_weights(labels: Tensor, classes: int) -> Tensor:
    """Return the weight of each class in the loss, n / (K n_c) over the K classes that occur; 0 for the others.

    The mean over the images is 1, as in scikit-learn's `balanced` weights.
    """
    counts = torch.bincount(labels, minlength=classes).double()
    weights = counts.sum() / ((counts > 0).sum() * counts.clamp_min(1))
    return torch.where(counts > 0, weights, 0.0).float()
