"""Where Integrated Gradients and Shapley values agree: on the same superpixels, each as a share of what it explains.

The mean of two attributions satisfies none of their axioms: the map says where both look, not what anything is worth.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from xai.attribution import Attribution, Floats, spread


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
