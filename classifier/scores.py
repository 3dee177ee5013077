"""The scores of a classifier, for many weightings of the same images at once.

A bootstrap needs thousands of them, so everything here is a sum over images with weights of shape (R, N): one row of
ones gives the score itself, rows of counts give its bootstrap distribution. With weights of one every score equals that
of scikit-learn (`tests/classifier/test_scores.py`). A score that has no meaning for a row, such as the recall of a
class that does not occur in it, is NaN there.

Calibration makes probabilities mean what they say (the temperature), and compares confidence with being right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import recall_score

Floats = npt.NDArray[np.floating]
Labels = npt.NDArray[np.int64]
Weights = npt.NDArray[np.floating] | npt.NDArray[np.integer]

BINS: Final = 15
"""Equal-width bins of confidence in the expected calibration error."""
SPECIFICITY: Final = 0.9
"""At which the sensitivity of each class is given."""
_CHUNK: Final = 4_000_000
"""Weights looked at together, to bound the memory."""

OVERALL: Final = (
    "accuracy", "balanced_accuracy", "precision_macro", "precision_weighted", "recall_macro", "recall_weighted",
    "f1_macro", "f1_weighted", "specificity_mean", "auc_macro", "top_3_accuracy",
)  # fmt: skip
PER_CLASS: Final = ("precision", "recall", "f1", "specificity", "auc", "sensitivity_at_90_specificity")
CALIBRATION: Final = ("ece", "brier", "log_loss")


def score(probabilities: Floats, labels: Labels, weights: Weights) -> dict[str, Floats]:
    """Return every score of `OVERALL`, shape (R,), and of `PER_CLASS`, shape (R, K).

    Parameters
    ----------
    probabilities
        Shape (N, K), rows sum to 1. The predicted class is the most probable one.
    labels
        True classes, shape (N,), 0..K-1.
    weights
        How much each image counts, shape (R, N), at least 0.

    Returns
    -------
    Means over classes are over those that occur in the row. A class that occurs but is never predicted has precision
    and F1 of 0, as in scikit-learn with `zero_division=0`; one that does not occur has no precision, recall, F1 or AUC.
    """
    parts = [_score_chunk(probabilities, labels, chunk) for chunk in _chunks(weights)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def score_calibration(probabilities: Floats, labels: Labels, weights: Weights) -> dict[str, Floats]:
    """Return every score of `CALIBRATION`, shape (R,); parameters as in `score`.

    Returns
    -------
    `ece`: the mean gap between confidence and accuracy over `BINS` equal-width bins, weighted by count (Guo et al.
    2017), 0..1. `brier`: the mean over images of the sum over classes of (probability - truth)^2 (Brier 1950), 0..2.
    `log_loss`: the mean of -log of the probability of the true class, in nats.
    """
    sums = np.concatenate([_mean(chunk, _calibration_terms(probabilities, labels)) for chunk in _chunks(weights)])
    return {"ece": np.abs(sums[:, :BINS]).sum(axis=1), "brier": sums[:, BINS], "log_loss": sums[:, BINS + 1]}


def _chunks(weights: Weights) -> Iterator[Floats]:
    rows = max(1, _CHUNK // max(1, weights.shape[1]))
    for start in range(0, len(weights), rows):
        yield weights[start : start + rows].astype(np.float64)


def _score_chunk(probabilities: Floats, labels: Labels, weights: Floats) -> dict[str, Floats]:
    counts = _confusion(probabilities.argmax(axis=1), labels, weights, probabilities.shape[1])
    per_class = _class_scores(counts)
    ranked = [_ranked(probabilities[:, k], labels == k, weights) for k in range(probabilities.shape[1])]
    per_class["auc"] = np.stack([_area(*pair) for pair in ranked], axis=1)
    per_class["sensitivity_at_90_specificity"] = np.stack([_sensitivity(*pair) for pair in ranked], axis=1)
    hits = in_top(probabilities, labels, 3)[:, None]
    return {**_overall(counts, per_class), "top_3_accuracy": _mean(weights, hits)[:, 0], **per_class}


def _confusion(predicted: Labels, labels: Labels, weights: Floats, classes: int) -> Floats:
    """Return weighted counts (R, K, K), rows true."""
    cell = np.eye(classes * classes)[labels * classes + predicted]
    return np.asarray((weights @ cell).reshape(-1, classes, classes))


def _class_scores(counts: Floats) -> dict[str, Floats]:
    right, support, predicted = np.einsum("rkk->rk", counts), counts.sum(axis=2), counts.sum(axis=1)
    absent, others = support == 0, counts.sum(axis=(1, 2))[:, None] - support
    precision = np.where(absent, np.nan, np.nan_to_num(_ratio(right, predicted)))
    return {
        "precision": precision,
        "recall": _ratio(right, support),
        "f1": np.where(absent, np.nan, _ratio(2 * right, support + predicted)),
        "specificity": _ratio(others - (predicted - right), others),
    }


def _overall(counts: Floats, per_class: dict[str, Floats]) -> dict[str, Floats]:
    support, total = counts.sum(axis=2), counts.sum(axis=(1, 2))
    macro = {name: _mean_of_defined(values) for name, values in per_class.items()}
    weighted = {name: np.nansum(support * per_class[name], axis=1) / total for name in ("precision", "recall", "f1")}
    return {
        "accuracy": np.einsum("rkk->r", counts) / total,
        "balanced_accuracy": macro["recall"],
        **{f"{name}_macro": macro[name] for name in ("precision", "recall", "f1", "auc")},
        **{f"{name}_weighted": values for name, values in weighted.items()},
        "specificity_mean": macro["specificity"],
    }


def _ranked(scores: Floats, positive: npt.NDArray[np.bool_], weights: Floats) -> tuple[Floats, Floats]:
    """Return the weight of positives and of negatives at every distinct score, lowest first: two arrays (R, G)."""
    order = np.argsort(scores, kind="stable")
    ascending = scores[order]
    starts = np.flatnonzero(np.concatenate([[True], ascending[1:] != ascending[:-1]]))
    mine, chosen = positive[order], weights[:, order]
    return np.add.reduceat(chosen * mine, starts, axis=1), np.add.reduceat(chosen * ~mine, starts, axis=1)


def _area(positives: Floats, negatives: Floats) -> Floats:
    """Return the area under the ROC curve: P(score of a positive > of a negative) + half of P(equal)."""
    below = np.cumsum(negatives, axis=1) - negatives
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    return _ratio((positives * (below + negatives / 2)).sum(axis=1), pairs)


def _sensitivity(positives: Floats, negatives: Floats) -> Floats:
    """Return the largest share of positives above a threshold that at least `SPECIFICITY` of the negatives miss."""
    all_positives, all_negatives = positives.sum(axis=1, keepdims=True), negatives.sum(axis=1, keepdims=True)
    found = all_positives - np.cumsum(positives, axis=1)
    alarms = all_negatives - np.cumsum(negatives, axis=1)
    allowed = alarms <= (1 - SPECIFICITY) * all_negatives + 1e-9
    best = np.where(allowed, found, 0).max(axis=1)
    return np.where(all_negatives[:, 0] > 0, _ratio(best, all_positives[:, 0]), np.nan)


def in_top(probabilities: Floats, labels: Labels, count: int) -> npt.NDArray[np.bool_]:
    """Return for each image whether its true class is among the `count` most probable ones, shape (N,)."""
    ranked = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    return np.asarray((ranked == labels[:, None]).any(axis=1))


def confidence_bins(probabilities: Floats) -> Labels:
    """Return the bin of confidence of each image, shape (N,), 0..BINS-1."""
    return np.minimum((probabilities.max(axis=1) * BINS).astype(np.int64), BINS - 1)


def _calibration_terms(probabilities: Floats, labels: Labels) -> Floats:
    """Return what each image adds: its gap in the column of its bin, then its Brier score and its log loss."""
    gap = probabilities.max(axis=1) - (probabilities.argmax(axis=1) == labels)
    truth = np.eye(probabilities.shape[1])[labels]
    brier = np.square(probabilities - truth).sum(axis=1)
    true_probability = probabilities[np.arange(len(labels)), labels]
    log_loss = -np.log(np.maximum(true_probability, np.finfo(np.float64).tiny))
    return np.column_stack([np.eye(BINS)[confidence_bins(probabilities)] * gap[:, None], brier, log_loss])


def _mean(weights: Floats, values: Floats | npt.NDArray[np.bool_]) -> Floats:
    return np.asarray((weights @ values) / weights.sum(axis=1, keepdims=True))


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Return numerator / denominator, NaN where the denominator is 0."""
    undefined = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    return np.divide(numerator, denominator, out=undefined, where=denominator > 0)


def _mean_of_defined(values: Floats) -> Floats:
    return _ratio(np.nansum(values, axis=1), np.isfinite(values).sum(axis=1).astype(np.float64))


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


_EPOCH_NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced_accuracy",
    "precision": "precision_macro",
    "recall": "recall_macro",
    "f1_score": "f1_macro",
    "auc": "auc_macro",
    "top_3_accuracy": "top_3_accuracy",
}


def balanced_accuracy(truth: Labels, predicted: Labels) -> float:
    """Return the mean recall over the classes that occur in `truth`."""
    return float(recall_score(truth, predicted, labels=np.unique(truth), average="macro"))


def epoch_metrics(logits: Floats, labels: Labels, prefix: str = "") -> dict[str, float]:
    """Return one row of a training history, under ISICGenerator's names with `prefix` before each.

    Parameters
    ----------
    logits
        Shape (N, K).
    labels
        Shape (N,), 0..K-1.

    Returns
    -------
    `loss` (cross-entropy in nats), `accuracy`, `balanced_accuracy`, `top_3_accuracy`, and `precision`, `recall`,
    `f1_score` and `auc` as means over the classes that occur (ISICGenerator's were micro-averages, which hide the
    rare classes). What has no meaning, such as the AUC where only one class occurs, is left out.
    """
    scores = score(probabilities_of(logits), labels, np.ones((1, len(labels))))
    values = {name: float(scores[key][0]) for name, key in _EPOCH_NAMES.items()}
    values["loss"] = float(
        -log_softmax(np.asarray(logits, dtype=np.float64), axis=1)[np.arange(len(labels)), labels].mean()
    )
    return {prefix + name: value for name, value in values.items() if np.isfinite(value)}
