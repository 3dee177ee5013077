"""Integrated Gradients (Sundararajan et al., 2017, arXiv:1703.01365) of a logit with respect to an image's pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from captum.attr import IntegratedGradients
from numpy.typing import NDArray
from torch import Tensor

from xai.explanation import ExplanationCancelled

FIRST_STEPS: Final = 32
LAST_STEPS: Final = 512
CONVERGED: Final = 0.01

MIN_DIFFERENCE: Final = 0.1
"""Logit difference below which there is nothing to explain: it changes the odds by less than a tenth."""

_CHUNK_PIXELS: Final = 1_000_000
_MAX_CHUNK: Final = 16

Score = Callable[[Tensor], Tensor]
"""Maps pictures (N, 3, H, W) in 0..1 to the target's logit (N,)."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """Signed contributions and how well they add up; see `Explanation` for the meaning of the fields."""

    values: NDArray[np.float32]
    score: float
    baseline_score: float
    delta: float
    relative_delta: float | None
    steps: int


def never() -> bool:
    """Ask for nothing: the default of `should_stop`."""
    return False


def integrated_gradients(
    score: Score,
    image: Tensor,
    baselines: Sequence[Tensor],
    *,
    last_steps: int = LAST_STEPS,
    chunk: int | None = None,
    should_stop: Callable[[], bool] = never,
) -> Attribution:
    """Attribute a score to pixels, as the mean over one or several baselines.

    For each baseline the number of Gauss-Legendre steps doubles from 32 until the attribution's sum is within 1 % of
    the difference it must explain, or `last_steps` is reached; where there is nothing to explain it does not.

    Parameters
    ----------
    image, baselines
        Shape (1, 3, H, W), 0..1, on the same device; they are not changed.
    chunk
        Pictures in one forward pass; chosen by their size if None.
    should_stop
        Looked at before every forward pass.

    Raises
    ------
    ExplanationCancelled
        As soon as `should_stop` says so.
    """
    with torch.inference_mode(False), torch.enable_grad():
        checked = _checking(score, should_stop)
        chunk = chunk or _chunk_size(image)
        parts = [_converge(checked, image, baseline, chunk, last_steps) for baseline in baselines]
    return _mean(parts)


def _checking(score: Score, should_stop: Callable[[], bool]) -> Score:
    def checked(pixels: Tensor) -> Tensor:
        if should_stop():
            raise ExplanationCancelled
        return score(pixels)

    return checked


def _chunk_size(image: Tensor) -> int:
    return max(1, min(_MAX_CHUNK, _CHUNK_PIXELS // (image.shape[-1] * image.shape[-2])))


def _converge(score: Score, image: Tensor, baseline: Tensor, chunk: int, last_steps: int) -> Attribution:
    method = IntegratedGradients(score)
    with torch.no_grad():
        end, start = score(image).item(), score(baseline).item()
    steps = FIRST_STEPS
    while True:
        values = method.attribute(image, baseline, n_steps=steps, internal_batch_size=chunk)
        found = _measure(values, end, start, steps)
        error = found.relative_delta
        if error is None or not math.isfinite(error) or error < CONVERGED or steps >= last_steps:
            return found
        steps *= 2


def _measure(values: Tensor, score: float, baseline_score: float, steps: int) -> Attribution:
    array = values.detach()[0].permute(1, 2, 0).float().cpu().numpy()
    return _summed(np.ascontiguousarray(array), score, baseline_score, steps)


def _summed(values: NDArray[np.float32], score: float, baseline_score: float, steps: int) -> Attribution:
    difference = score - baseline_score
    delta = float(values.sum(dtype=np.float64)) - difference
    relative = abs(delta / difference) if not abs(difference) < MIN_DIFFERENCE else None
    return Attribution(values, score, baseline_score, delta, relative, steps)


def _mean(parts: Sequence[Attribution]) -> Attribution:
    values = np.stack([part.values for part in parts]).mean(axis=0, dtype=np.float64).astype(np.float32)
    start = float(np.mean([part.baseline_score for part in parts]))
    return _summed(values, parts[0].score, start, max(part.steps for part in parts))
