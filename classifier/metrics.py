"""The few numbers that training looks at after every epoch; everything else is in `evaluation`."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax
from sklearn.metrics import recall_score

from classifier.calibration import probabilities_of
from classifier.scores import Floats, Labels, score

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
