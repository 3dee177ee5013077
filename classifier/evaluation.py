"""How good a classifier is on lesions that it has not seen, how sure each number is, and how it errs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import confusion_matrix, roc_curve

from classifier.scores import (
    PER_CLASS,
    Floats,
    Labels,
    Reliability,
    Weights,
    probabilities_of,
    reliability,
    score,
    score_calibration,
)
from core.few import FEW
from measures.bootstrap import CONFIDENCE, resampled_counts

REPEATS = 2000


@dataclass(frozen=True, eq=False)
class Answers:
    """What a classifier said to labelled images.

    Attributes
    ----------
    classes
        Class code of each logit.
    labels
        True classes, shape (N,), int64.
    logits
        As the network gives them, shape (N, K).
    temperature
        Divides the logits before a softmax that is to be read as a probability, shape (N,): answers of several networks
        may be put together.
    lesions, image_ids
        Of each image.
    """

    classes: tuple[str, ...]
    labels: Labels
    logits: Floats
    temperature: Floats
    lesions: tuple[str, ...]
    image_ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def raw(self) -> Floats:
        """Probabilities before temperature scaling, (N, K)."""
        return probabilities_of(self.logits)

    @property
    def calibrated(self) -> Floats:
        """Probabilities after temperature scaling, (N, K)."""
        return probabilities_of(self.logits / self.temperature[:, None])


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its 95 % interval; None where it has no meaning or too few lesions tell how sure it is."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def to_json(self) -> dict[str, float | None]:
        """Return it as a JSON object."""
        return {"value": self.value, "low": self.low, "high": self.high}

    def __str__(self) -> str:
        if self.value is None:
            return "not defined"
        return f"{self.value:.3f}" if self.low is None else f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True)
class Curve:
    """A ROC curve: false and true positive rates, both ascending from 0 to 1."""

    fpr: tuple[float, ...]
    tpr: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Everything that is measured on one set of images.

    Attributes
    ----------
    images, lesions
        Distinct ones; by class in `class_images`, `class_lesions`.
    overall
        Scores of `scores.OVERALL`, at the temperature that ships.
    per_class
        Scores of `scores.PER_CLASS`, by class code.
    raw, calibrated
        Scores of `scores.CALIBRATION` before and after temperature scaling, and the numbers of their diagrams.
    matrix
        Confusion counts, (K, K), rows true.
    curves
        One class against all others; absent for a class without images, or without others.
    """

    classes: tuple[str, ...]
    images: int
    lesions: int
    class_images: Mapping[str, int]
    class_lesions: Mapping[str, int]
    overall: Mapping[str, Estimate]
    per_class: Mapping[str, Mapping[str, Estimate]]
    raw: Mapping[str, Estimate]
    calibrated: Mapping[str, Estimate]
    raw_reliability: Reliability
    reliability: Reliability
    matrix: Labels
    curves: Mapping[str, Curve]
    temperature: float

    @property
    def headline(self) -> Estimate:
        """The balanced accuracy."""
        return self.overall["balanced_accuracy"]

    @property
    def chance(self) -> float:
        """The balanced accuracy of a guess: one of the classes that have images; others are not measured."""
        return 1 / max(1, sum(count > 0 for count in self.class_images.values()))

    @property
    def is_small(self) -> bool:
        """Whether so few images were measured that the number says little."""
        return self.images < FEW


def evaluate(answers: Answers, *, repeats: int = REPEATS, seed: int = 0) -> Evaluation:
    """Measure answers, with 95 % percentile intervals from a bootstrap of lesions within their class.

    A class with a single lesion tells nothing about how much lesions differ: its scores get no interval.

    Raises
    ------
    ValueError
        If there is no image.
    """
    probabilities, labels = answers.calibrated, answers.labels
    weights = resampled_counts(answers.lesions, strata=labels.tolist(), repeats=repeats, seed=seed)
    weights = np.concatenate([np.ones((1, len(labels)), dtype=np.int32), weights])
    scores = score(probabilities, labels, weights)
    lesions = _count_by_class(answers, answers.lesions)
    return Evaluation(
        classes=answers.classes,
        images=len(set(answers.image_ids)),
        lesions=len(set(answers.lesions)),
        class_images=_count_by_class(answers, answers.image_ids),
        class_lesions=lesions,
        overall={name: _estimate(values) for name, values in scores.items() if name not in PER_CLASS},
        per_class=_by_class(answers.classes, lesions, scores),
        raw=_calibration(answers.raw, labels, weights),
        calibrated=_calibration(probabilities, labels, weights),
        raw_reliability=reliability(answers.raw, labels),
        reliability=reliability(probabilities, labels),
        matrix=confusion(labels, probabilities.argmax(axis=1), len(answers.classes)),
        curves=_curves(answers.classes, probabilities, labels),
        temperature=float(np.mean(answers.temperature)),
    )


def confusion(truth: Labels, predicted: Labels, classes: int) -> Labels:
    """Return counts, shape (classes, classes): rows are true classes, columns predictions."""
    return np.asarray(confusion_matrix(truth, predicted, labels=np.arange(classes)), dtype=np.int64)


def _count_by_class(answers: Answers, names: Sequence[str]) -> dict[str, int]:
    return {
        code: len({name for name, label in zip(names, answers.labels, strict=True) if label == index})
        for index, code in enumerate(answers.classes)
    }


def _calibration(probabilities: Floats, labels: Labels, weights: Weights) -> dict[str, Estimate]:
    """Return the calibration scores with their intervals.

    A resample's noise counts as miscalibration in ECE: all resamples lie above the value of the data. Their spread is
    what is wanted, so they are moved down by the mean excess.
    """
    scores = score_calibration(probabilities, labels, weights)
    point, resamples = scores["ece"][:1], scores["ece"][1:]
    scores["ece"] = np.concatenate([point, np.maximum(resamples - resamples.mean() + point, 0)])
    return {name: _estimate(values) for name, values in scores.items()}


def _estimate(values: Floats) -> Estimate:
    """Return the first value with the percentiles of the others."""
    if not np.isfinite(values[0]):
        return Estimate(None)
    low, high = np.nanpercentile(values[1:], CONFIDENCE)
    return Estimate(float(values[0]), float(low), float(high))


def _by_class(
    classes: Sequence[str], lesions: Mapping[str, int], scores: Mapping[str, Floats]
) -> dict[str, dict[str, Estimate]]:
    found: dict[str, dict[str, Estimate]] = {}
    for index, code in enumerate(classes):
        estimates = {name: _estimate(scores[name][:, index]) for name in PER_CLASS}
        if lesions[code] == 1:
            estimates = {name: Estimate(estimate.value) for name, estimate in estimates.items()}
        found[code] = estimates
    return found


def _curves(classes: Sequence[str], probabilities: Floats, labels: Labels) -> dict[str, Curve]:
    curves = {}
    for index, code in enumerate(classes):
        if 0 < (labels == index).sum() < len(labels):
            fpr, tpr, _ = roc_curve(labels == index, probabilities[:, index])
            curves[code] = Curve(tuple(fpr.tolist()), tuple(tpr.tolist()))
    return curves
