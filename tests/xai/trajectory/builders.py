"""Toy samplers, toy classifiers and tiny real models."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch

from xai.trajectory.coalitions import Branches
from xai.trajectory.target import Target


def toy_root(steps, shape=(3, 4, 4)):
    """Return the one branch of a sampler that has no scheduler worth the name."""
    scheduler = SimpleNamespace(timesteps=torch.arange(steps))
    zeros = torch.zeros(1, *shape)
    return Branches((0,), zeros, zeros.clone(), scheduler, [torch.Generator().manual_seed(0)])


def linear_target(weights, bias=0.0):
    """Return a target whose logit is <weights, pixels> + bias; logit 1 is its negative. Weights (3, H, W)."""
    kernel = torch.as_tensor(weights, dtype=torch.float32)

    def logits(pixels):
        value = (pixels * kernel).sum(dim=(1, 2, 3)) + bias
        return torch.stack([value, -value], dim=1)

    return Target(0, logits)


def patch_weights(side, rows, columns):
    """Return weights (3, side, side) that average the brightness of a patch."""
    weights = np.zeros((3, side, side), np.float32)
    weights[:, rows, columns] = 1
    return weights / weights.sum()
