"""Recognises a classification head that was never trained, from its numbers and from its answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

ROUNDING: Final = 1.004
"""Room for weights stored as bfloat16; one optimiser step at a usual rate moves some weight much further than this."""

MAX_KS: Final = 3.0
"""Bound of sqrt(n) times the Kolmogorov-Smirnov distance: a fresh head exceeds it with probability 3e-8."""

MAX_ENTROPY: Final = 0.98
"""Mean entropy over log K on the probe pictures from which the answers are taken to be the same for everything."""

_PROBES: Final = 12
_PROBE_SIDE: Final = 96


def untrained_by_weights(weight: Tensor, bias: Tensor) -> str | None:
    """Say why a linear head looks freshly initialised, or return None.

    Fresh weights are uniform within a bound that follows from the layer's size (the defaults of torch, Glorot and He);
    training pushes some of thousands of weights over that sharp edge at once. A bias of exactly zero in every class is
    an initial value too: the gradient of a trained one is never exactly zero.

    Parameters
    ----------
    weight, bias
        Shapes (K, D) and (K,).
    """
    if bool((bias == 0).all()):
        return "the bias of every class is exactly 0, as before training"
    outputs, inputs = weight.shape
    bounds = (1 / math.sqrt(inputs), math.sqrt(6 / (inputs + outputs)), math.sqrt(6 / inputs))
    values = weight.double().flatten().numpy()
    if any(_is_uniform(values, bound) for bound in bounds):
        return "its weights are spread exactly as random initial weights are"
    return None


def _is_uniform(values: NDArray[np.float64], bound: float) -> bool:
    if np.abs(values).max() > bound * ROUNDING:
        return False
    expected = np.clip((np.sort(values) + bound) / (2 * bound), 0, 1)
    n = len(values)
    steps = np.arange(n + 1) / n
    distance = max((steps[1:] - expected).max(), (expected - steps[:-1]).max())
    return bool(distance * math.sqrt(n) < MAX_KS)


def untrained_by_answers(logits: Callable[[Tensor], Tensor]) -> str | None:
    """Say why the answers to a set of very different drawn pictures look like those of no training, or return None.

    Parameters
    ----------
    logits
        Maps pictures (N, 3, H, W) in 0..1 to (N, K).
    """
    with torch.no_grad():
        answers = logits(probe_pictures()).double().cpu()
    log_p = answers.log_softmax(1)
    entropy = float(-(log_p.exp() * log_p).sum(1).mean() / math.log(answers.shape[1]))
    if entropy > MAX_ENTROPY:
        return "it finds all classes equally likely for very different pictures"
    return None


def probe_pictures() -> Tensor:
    """Return drawn blotches on plain grounds of many colours, (12, 3, 96, 96) in 0..1, always the same ones."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1 : 1 : _PROBE_SIDE * 1j, -1 : 1 : _PROBE_SIDE * 1j]
    return torch.stack([_blotch(rng, x, y) for _ in range(_PROBES)])


def _blotch(rng: np.random.Generator, x: NDArray[np.float64], y: NDArray[np.float64]) -> Tensor:
    ground, colour = rng.uniform(0, 1, (2, 3, 1, 1))
    centre, radii = rng.uniform(-0.4, 0.4, 2), rng.uniform(0.2, 0.8, 2)
    distance = ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2
    inside = 1 / (1 + np.exp(8 * (distance - 1)))
    picture = ground + (colour - ground) * inside + rng.normal(0, 0.05, (3, *x.shape))
    return torch.from_numpy(picture.clip(0, 1)).float()
