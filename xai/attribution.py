"""What all attribution methods share, and Integrated Gradients (Sundararajan et al. 2017, arXiv:1703.01365).

`agreement_map` says where Integrated Gradients and Shapley values agree: on the same superpixels, each as a share of
what it explains. The mean of two attributions satisfies none of their axioms: the map says where both look, not what
anything is worth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import torch
from captum.attr import IntegratedGradients
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor

from core.jobs.stream import JobContext

FIRST_STEPS: Final = 32
LAST_STEPS: Final = 512
CONVERGED: Final = 0.01

MIN_DIFFERENCE: Final = 0.1
"""Logit difference below which there is nothing to explain: it changes the odds by less than a tenth."""

_CHUNK_PIXELS: Final = 1_000_000
_MAX_CHUNK: Final = 16

Floats = NDArray[np.float64]

Score = Callable[[Tensor], Tensor]
"""Maps pictures (N, 3, H, W) in 0..1 to the target's logit (N,)."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """Signed values and how well they add up; see `Explanation` for the meaning of the fields."""

    values: NDArray[np.float32]
    score: float
    baseline_score: float
    delta: float = 0.0
    relative_delta: float | None = None
    steps: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    standard_error: NDArray[np.float32] | None = None
    segments: NDArray[np.int32] | None = None
    cell: tuple[float, float] | None = None


def guarded(score: Score, context: JobContext) -> Score:
    """Return the score with a `context.check` before each call."""

    def checked(pixels: Tensor) -> Tensor:
        context.check()
        return score(pixels)

    return checked


def chunk_size(image: Tensor) -> int:
    """Return how many pictures of this size (..., H, W) go through the network at once."""
    return max(1, min(_MAX_CHUNK, _CHUNK_PIXELS // (image.shape[-1] * image.shape[-2])))


def score_ends(score: Score, image: Tensor, baselines: Sequence[Tensor]) -> tuple[float, float]:
    """Return the score of the image and the mean score of the baselines."""
    with torch.no_grad():
        return score(image).item(), float(np.mean([score(baseline).item() for baseline in baselines]))


def relative_delta(delta: float, difference: float) -> float | None:
    """Return |delta / difference|, or None where the difference is too small to divide by."""
    return None if abs(difference) < MIN_DIFFERENCE else abs(delta / difference)


def to_array(values: Tensor) -> NDArray[np.float32]:
    """Return (1, 3, H, W) as a float32 array (H, W, 3)."""
    return np.ascontiguousarray(values.detach()[0].permute(1, 2, 0).float().cpu().numpy())


def spread(values: Floats) -> NDArray[np.float32]:
    """Return a map (H, W) as an array (H, W, 3) whose channels sum to it."""
    return np.repeat(values[..., None] / 3, 3, axis=2).astype(np.float32)


def integrated_gradients(
    score: Score,
    image: Tensor,
    baselines: Sequence[Tensor],
    *,
    last_steps: int = LAST_STEPS,
    chunk: int | None = None,
    context: JobContext | None = None,
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
    context
        Asked before every forward pass whether to go on.

    Raises
    ------
    JobStopped
        As soon as that is asked for.
    """
    with torch.inference_mode(False), torch.enable_grad():
        checked = guarded(score, context or JobContext())
        chunk = chunk or chunk_size(image)
        parts = [_converge(checked, image, baseline, chunk, last_steps) for baseline in baselines]
    return _mean(parts, last_steps)


def _converge(score: Score, image: Tensor, baseline: Tensor, chunk: int, last_steps: int) -> Attribution:
    method = IntegratedGradients(score)
    end, start = score_ends(score, image, [baseline])
    steps = min(FIRST_STEPS, last_steps)
    while True:
        values = method.attribute(image, baseline, n_steps=steps, internal_batch_size=chunk)
        found = _summed(to_array(values), end, start, steps)
        error = found.relative_delta
        if error is None or not math.isfinite(error) or error < CONVERGED or steps >= last_steps:
            return found
        steps = min(2 * steps, last_steps)


def _summed(values: NDArray[np.float32], score: float, baseline_score: float, steps: int) -> Attribution:
    difference = score - baseline_score
    delta = float(values.sum(dtype=np.float64)) - difference
    return Attribution(values, score, baseline_score, delta, relative_delta(delta, difference), steps)


def _mean(parts: Sequence[Attribution], last_steps: int) -> Attribution:
    values = np.stack([part.values for part in parts]).mean(axis=0, dtype=np.float64).astype(np.float32)
    start = float(np.mean([part.baseline_score for part in parts]))
    whole = _summed(values, parts[0].score, start, max(part.steps for part in parts))
    parameters = {"quadrature": "Gauss-Legendre", "max_steps": last_steps, "converged_below": CONVERGED}
    return replace(whole, parameters=parameters)


def agreement_map(gradients: Attribution, shapley: Attribution) -> Attribution:
    """Combine two attributions of one score, image and baseline into a map without completeness.

    Parameters
    ----------
    gradients
        Of the pixels; summed within the superpixels of `shapley`.
    shapley
        Of superpixels.
    """
    segments = shapley.segments
    if segments is None:
        raise ValueError("the second attribution has no superpixels")
    sums = [_sums(found.values, segments) for found in (gradients, shapley)]
    shares = np.mean([_share(s, found) for s, found in zip(sums, (gradients, shapley), strict=True)], axis=0)
    return Attribution(
        spread((shares / np.bincount(segments.ravel()))[segments]),
        shapley.score,
        shapley.baseline_score,
        relative_delta=gradients.relative_delta,
        steps=gradients.steps + shapley.steps,
        parameters={
            "note": "agreement map (no completeness)",
            "rank_agreement": rank_agreement(*sums),
            "ig_steps": gradients.steps,
            **shapley.parameters,
        },
        segments=segments,
    )


def rank_agreement(first: Floats, second: Floats) -> float | None:
    """Return Spearman's rank correlation of two lists of values, or None where one of them is constant or too short."""
    if len(first) < 3 or min(np.ptp(first), np.ptp(second)) == 0:
        return None
    return float(spearmanr(first, second).statistic)


def _sums(values: NDArray[np.float32], segments: NDArray[np.int32]) -> Floats:
    return np.bincount(segments.ravel(), values.sum(axis=2, dtype=np.float64).ravel()).astype(np.float64)


def _share(values: Floats, found: Attribution) -> Floats:
    difference = abs(found.score - found.baseline_score)
    return values / difference if difference else np.zeros_like(values)
