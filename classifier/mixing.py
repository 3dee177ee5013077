"""Blends of two images with blended targets: mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019)."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

Mixed = tuple[Tensor, Tensor]


def mix(layers: Tensor, targets: Tensor, mixup_alpha: float, cutmix_alpha: float, generator: torch.Generator) -> Mixed:
    """Blend each image with another one of the batch, and their targets in the same proportion.

    Parameters
    ----------
    layers
        Images with whatever else belongs to them, (N, C, S, S).
    targets
        Probabilities, (N, K).
    mixup_alpha, cutmix_alpha
        Parameters of the two beta distributions; 0 is off. With both, the batch draws one of them.
    """
    wanted = [alpha for alpha in (mixup_alpha, cutmix_alpha) if alpha > 0]
    if not wanted:
        return layers, targets
    pasted = cutmix_alpha > 0 and (mixup_alpha == 0 or bool(torch.randint(2, (), generator=generator)))
    partners = torch.randperm(len(layers), generator=generator).to(layers.device)
    if not pasted:
        return mixup(layers, targets, partners, _beta(mixup_alpha, generator))
    row, column = torch.randint(layers.shape[-1], (2,), generator=generator).tolist()
    return cutmix(layers, targets, partners, _beta(cutmix_alpha, generator), (row, column))


def mixup(layers: Tensor, targets: Tensor, partners: Tensor, share: float) -> Mixed:
    """Return `share` of each image plus the rest of its partner."""
    return torch.lerp(layers[partners], layers, share), torch.lerp(targets[partners], targets, share)


def cutmix(layers: Tensor, targets: Tensor, partners: Tensor, share: float, centre: tuple[int, int]) -> Mixed:
    """Paste a square of 1 - `share` of the area, cut off at the border, from the partner; targets follow the area."""
    rows, columns = (_span(middle, layers.shape[-1], share) for middle in centre)
    blended = layers.clone()
    blended[..., rows, columns] = layers[partners][..., rows, columns]
    area = (rows.stop - rows.start) * (columns.stop - columns.start) / layers.shape[-1] ** 2
    return blended, torch.lerp(targets, targets[partners], area)


def _span(middle: int, size: int, share: float) -> slice:
    side = round(size * math.sqrt(1 - share))
    start = middle - side // 2
    return slice(max(start, 0), min(start + side, size))


def _beta(alpha: float, generator: torch.Generator) -> float:
    # torch has no beta distribution that draws from a generator of one's own
    seed = int(torch.randint(2**62, (), generator=generator))
    return float(np.random.default_rng(seed).beta(alpha, alpha))
