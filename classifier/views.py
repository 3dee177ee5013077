"""The random views that training sees of its images, and their blends, made for a whole batch at once."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.transforms import v2

from training.runtime import dihedral

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
