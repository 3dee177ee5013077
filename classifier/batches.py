"""From images in memory to what one optimiser step sees of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from classifier.config import ClassifierConfig
from classifier.data import Split
from classifier.views import blend, make_views
from core.taxonomy import CLASSES
from training.runtime import class_weights


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
