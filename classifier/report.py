"""Measures a trained classifier on held-out lesions and puts the result into words and tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax
from sklearn.metrics import roc_auc_score
from torch import nn

from classifier.data import Split
from classifier.metrics import Labels, balanced_accuracy, bootstrap_interval, confusion, expected_calibration_error
from classifier.model import predict_logits
from core.taxonomy import CLASS_CODES


@dataclass(frozen=True)
class Report:
    """What was measured on one split.

    Attributes
    ----------
    balanced_accuracy, interval
        Mean recall over the classes and its 95 % interval (bootstrap of lesions).
    auc
        Mean one-against-rest area under the ROC curve over the classes.
    calibration_error
        Expected calibration error at the temperature that ships.
    matrix
        Confusion counts, (7, 7), rows true.
    """

    images: int
    lesions: int
    balanced_accuracy: float
    interval: tuple[float, float]
    accuracy: float
    auc: float
    calibration_error: float
    matrix: Labels


def measure(model: nn.Module, split: Split, mean: list[float], std: list[float], temperature: float) -> Report:
    """Predict every image of `split` and return the numbers."""
    logits = predict_logits(model, split.pixels, mean, std).double().numpy()
    truth, predicted = split.labels.numpy(), logits.argmax(axis=1)
    return Report(
        images=len(split),
        lesions=len(set(split.lesions)),
        balanced_accuracy=balanced_accuracy(truth, predicted),
        interval=bootstrap_interval(truth, predicted, split.lesions),
        accuracy=float((truth == predicted).mean()),
        auc=float(roc_auc_score(truth, softmax(logits / temperature, axis=1), multi_class="ovr", labels=np.arange(7))),
        calibration_error=expected_calibration_error(logits / temperature, truth),
        matrix=confusion(truth, predicted, len(CLASS_CODES)),
    )


def summary(report: Report) -> str:
    """Return the headline numbers as one Markdown list item's text."""
    low, high = report.interval
    return (
        f"balanced accuracy **{report.balanced_accuracy:.3f}** (95 % interval {low:.3f} to {high:.3f}, bootstrap of "
        f"lesions), accuracy {report.accuracy:.3f}, mean one-against-rest AUC {report.auc:.3f}, expected calibration "
        f"error {report.calibration_error:.3f}; {report.images} images of {report.lesions} lesions"
    )


def confusion_table(report: Report) -> str:
    """Return the confusion matrix with the recall of every class as a Markdown table."""
    head = ["true \\ predicted", *CLASS_CODES, "n", "recall"]
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *_rows(report.matrix)])


def _rows(matrix: Labels) -> Iterator[list[str]]:
    for index, (code, counts) in enumerate(zip(CLASS_CODES, matrix, strict=True)):
        yield [code, *(str(c) for c in counts), str(counts.sum()), f"{counts[index] / max(counts.sum(), 1):.2f}"]
