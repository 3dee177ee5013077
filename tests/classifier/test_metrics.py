"""The row of an epoch, against scikit-learn, and what it leaves out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import softmax
from sklearn import metrics as sk

from classifier.scores import balanced_accuracy, epoch_metrics


def slow_balanced_accuracy(truth: list[int], predicted: list[int]) -> float:
    recalls = []
    for label in set(truth):
        mine = [p == label for t, p in zip(truth, predicted, strict=True) if t == label]
        recalls.append(sum(mine) / len(mine))
    return sum(recalls) / len(recalls)


def test_balanced_accuracy_is_the_mean_recall():
    rng = np.random.default_rng(3)
    truth, predicted = rng.integers(7, size=300), rng.integers(7, size=300)
    expected = slow_balanced_accuracy(truth.tolist(), predicted.tolist())
    assert balanced_accuracy(truth, predicted) == pytest.approx(expected)


def test_balanced_accuracy_of_a_constant_answer_is_chance():
    truth = np.array([0] * 90 + [1] * 10)
    assert balanced_accuracy(truth, np.zeros(100, dtype=np.int64)) == 0.5


def test_absent_classes_do_not_count():
    assert balanced_accuracy(np.array([1, 1, 4]), np.array([1, 6, 4])) == 0.75


def test_epoch_row_is_what_scikit_learn_says():
    rng = np.random.default_rng(5)
    logits, labels = rng.normal(size=(200, 7)), np.arange(200) % 7
    predicted, probabilities = logits.argmax(1), softmax(logits, axis=1)
    row = epoch_metrics(logits, labels, "val_")
    assert row == pytest.approx({
        "val_loss": sk.log_loss(labels, probabilities),
        "val_accuracy": sk.accuracy_score(labels, predicted),
        "val_balanced_accuracy": sk.balanced_accuracy_score(labels, predicted),
        "val_precision": sk.precision_score(labels, predicted, average="macro"),
        "val_recall": sk.recall_score(labels, predicted, average="macro"),
        "val_f1_score": sk.f1_score(labels, predicted, average="macro"),
        "val_auc": sk.roc_auc_score(labels, probabilities, multi_class="ovr"),
        "val_top_3_accuracy": sk.top_k_accuracy_score(labels, logits, k=3),
    })  # fmt: skip


def test_epoch_row_of_one_class_names_no_auc():
    row = epoch_metrics(np.eye(7)[[2, 2, 1]], np.array([2, 2, 2]))
    assert "auc" not in row
    assert row["recall"] == pytest.approx(2 / 3)
    assert all(math.isfinite(value) for value in row.values())
