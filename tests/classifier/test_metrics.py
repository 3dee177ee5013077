"""Metrics against slow and obvious versions of themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from classifier.metrics import (
    balanced_accuracy,
    bootstrap_interval,
    confusion,
    expected_calibration_error,
    fit_temperature,
)


@pytest.fixture
def predictions() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = rng.choice(7, size=300, p=[0.3, 0.3, 0.15, 0.1, 0.1, 0.03, 0.02])
    return truth, np.where(rng.random(300) < 0.6, truth, rng.integers(7, size=300))


def slow_balanced_accuracy(truth: list[int], predicted: list[int]) -> float:
    recalls = []
    for label in set(truth):
        mine = [p == label for t, p in zip(truth, predicted, strict=True) if t == label]
        recalls.append(sum(mine) / len(mine))
    return sum(recalls) / len(recalls)


def test_balanced_accuracy_is_the_mean_recall(predictions):
    truth, predicted = predictions
    assert balanced_accuracy(truth, predicted) == pytest.approx(
        slow_balanced_accuracy(truth.tolist(), predicted.tolist())
    )


def test_balanced_accuracy_of_a_constant_answer_is_chance():
    truth = np.array([0] * 90 + [1] * 10)
    assert balanced_accuracy(truth, np.zeros(100, dtype=np.int64)) == 0.5


def test_absent_classes_do_not_count():
    assert balanced_accuracy(np.array([1, 1, 4]), np.array([1, 6, 4])) == 0.75


def test_confusion_rows_are_true_classes(predictions):
    truth, predicted = predictions
    matrix = confusion(truth, predicted, 7)
    for t in range(7):
        for p in range(7):
            assert matrix[t, p] == sum((truth == t) & (predicted == p))


def slow_interval(truth, predicted, lesions, draws: int, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        recalls = []
        for label in sorted(set(truth)):
            groups: dict[str, list[bool]] = {}
            for t, p, lesion in zip(truth, predicted, lesions, strict=True):
                if t == label:
                    groups.setdefault(lesion, []).append(p == t)
            names = list(groups)
            drawn = [x for _ in names for x in groups[names[rng.integers(len(names))]]]
            recalls.append(sum(drawn) / len(drawn))
        values.append(sum(recalls) / len(recalls))
    return tuple(np.percentile(values, [2.5, 97.5]))


def test_interval_is_the_bootstrap_of_lesions(predictions):
    truth, predicted = predictions
    lesions = [f"{t}-{i % 9}" for i, t in enumerate(truth)]
    fast = bootstrap_interval(truth, predicted, lesions, draws=4000)
    slow = slow_interval(truth.tolist(), predicted.tolist(), lesions, draws=400, seed=1)
    assert fast == pytest.approx(slow, abs=0.02)
    assert fast[0] < balanced_accuracy(truth, predicted) < fast[1]


def test_copies_of_a_lesion_do_not_narrow_the_interval():
    truth = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    predicted = np.array([0, 0, 1, 1, 1, 0, 1, 0])
    names = list("abcdefgh")
    once = bootstrap_interval(truth, predicted, names, draws=500)
    tenfold = bootstrap_interval(np.tile(truth, 10), np.tile(predicted, 10), names * 10, draws=500)
    assert tenfold == once


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_temperature_is_recovered(temperature: float):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 7)) * 2
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = (rng.random((len(shares), 1)) > shares.cumsum(1)).sum(1)
    assert fit_temperature(logits * temperature, truth) == pytest.approx(temperature, rel=0.05)


def test_calibration_error_against_a_loop():
    rng = np.random.default_rng(1)
    logits, truth = rng.normal(size=(500, 7)) * 2, rng.integers(7, size=500)
    bins: dict[int, list[tuple[float, bool]]] = {}
    for row, label in zip(logits, truth, strict=True):
        weights = [math.exp(x) for x in row]
        confidence = max(weights) / sum(weights)
        bins.setdefault(min(int(confidence * 15), 14), []).append((confidence, int(row.argmax()) == label))
    gaps = [abs(sum(c for c, _ in b) / len(b) - sum(r for _, r in b) / len(b)) * len(b) for b in bins.values()]
    assert expected_calibration_error(logits, truth) == pytest.approx(sum(gaps) / 500)
