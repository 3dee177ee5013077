"""Probabilities that mean what they say: the temperature, and how confidence compares with being right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from classifier.scores import BINS, Floats, Labels, confidence_bins


def fit_temperature(logits: Floats, truth: Labels) -> float:
    """Return the T that minimises the mean of -log softmax(logits / T)[truth] (Guo et al. 2017), within 0.1..10."""

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-scaled[np.arange(len(truth)), truth].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.1), np.log(10)), method="bounded").x))


def probabilities_of(logits: Floats) -> Floats:
    """Return the softmax of logits (N, K) in float64."""
    return np.asarray(softmax(np.asarray(logits, dtype=np.float64), axis=1))


@dataclass(frozen=True, slots=True)
class Reliability:
    """How often the classifier is right at each level of confidence.

    Attributes
    ----------
    count
        Images in each of the equal-width bins of confidence, lowest first.
    confidence, accuracy
        Their mean confidence and the share that is right; None for a bin without images.
    """

    count: tuple[int, ...]
    confidence: tuple[float | None, ...]
    accuracy: tuple[float | None, ...]


def reliability(probabilities: Floats, labels: Labels) -> Reliability:
    """Return the reliability diagram's numbers for probabilities (N, K) and labels (N,)."""
    bins = confidence_bins(probabilities)
    count = np.bincount(bins, minlength=BINS).astype(np.int64)
    confidence = np.bincount(bins, probabilities.max(axis=1), BINS)
    right = np.bincount(bins[probabilities.argmax(axis=1) == labels], minlength=BINS)
    return Reliability(tuple(count.tolist()), _shares(confidence, count), _shares(right, count))


def _shares(sums: Floats | Labels, count: Labels) -> tuple[float | None, ...]:
    return tuple(float(s / n) if n else None for s, n in zip(sums, count, strict=True))
