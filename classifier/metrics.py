"""How good a classifier is on lesions it has not seen, and how sure that number is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.metrics import confusion_matrix, recall_score

Floats = npt.NDArray[np.floating]
Labels = npt.NDArray[np.int64]


def balanced_accuracy(truth: Labels, predicted: Labels) -> float:
    """Return the mean recall over the classes that occur in `truth`."""
    return float(recall_score(truth, predicted, labels=np.unique(truth), average="macro"))


def confusion(truth: Labels, predicted: Labels, classes: int) -> Labels:
    """Return counts, shape (classes, classes): rows are true classes, columns predictions."""
    return np.asarray(confusion_matrix(truth, predicted, labels=np.arange(classes)), dtype=np.int64)


def bootstrap_interval(
    truth: Labels, predicted: Labels, lesions: Sequence[str], draws: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % percentile interval of the balanced accuracy under resampling of lesions.

    Lesions are drawn with replacement within their class and bring all their images along, so that several photographs
    of one lesion do not count as independent evidence, and every draw holds every class.
    """
    matrices = _confusion_by_lesion(truth, predicted, lesions)
    rng = np.random.default_rng(seed)
    recalls = np.stack([_resampled_recall(m, label, draws, rng) for label, m in matrices.items()])
    low, high = np.percentile(recalls.mean(axis=0), [2.5, 97.5])
    return float(low), float(high)


def _confusion_by_lesion(truth: Labels, predicted: Labels, lesions: Sequence[str]) -> dict[int, Labels]:
    """Return, for each class, an array (lesions of it, 2): number of images and of those rightly predicted."""
    found: dict[int, Labels] = {}
    names = np.asarray(lesions)
    for label in np.unique(truth):
        mine = truth == label
        _, owner = np.unique(names[mine], return_inverse=True)
        right = np.bincount(owner, weights=(predicted[mine] == label)).astype(np.int64)
        found[int(label)] = np.stack([np.bincount(owner), right], axis=1)
    return found


def _resampled_recall(counts: Labels, label: int, draws: int, rng: np.random.Generator) -> Floats:
    chosen = counts[rng.integers(len(counts), size=(draws, len(counts)))].sum(axis=1)
    return np.asarray(chosen[:, 1] / chosen[:, 0])


def fit_temperature(logits: Floats, truth: Labels) -> float:
    """Return the T that minimises the mean of -log softmax(logits / T)[truth] (Guo et al. 2017), within 0.1..10."""

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-scaled[np.arange(len(truth)), truth].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.1), np.log(10)), method="bounded").x))


def expected_calibration_error(logits: Floats, truth: Labels, bins: int = 15) -> float:
    """Return the mean gap between confidence and accuracy over equal-width bins of confidence, weighted by count."""
    probabilities = np.exp(log_softmax(logits, axis=1))
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, weights=confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(truth))
