"""Every score against scikit-learn, against slow loops, and against small examples worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as sk

from classifier.scores import OVERALL, PER_CLASS, score, score_calibration

CLASSES = 5


@pytest.fixture(scope="module")
def case() -> tuple[np.ndarray, np.ndarray]:
    """Probabilities with many ties, and labels of unequal frequency."""
    rng = np.random.default_rng(0)
    labels = rng.choice(CLASSES, size=250, p=[0.5, 0.25, 0.15, 0.07, 0.03])
    raw = rng.random((250, CLASSES)).round(1) + 0.05 + 0.5 * np.eye(CLASSES)[labels]
    return raw / raw.sum(1, keepdims=True), labels


def once(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values[0] for name, values in score(probabilities, labels, np.ones((1, len(labels)))).items()}


def test_every_announced_score_is_there(case):
    found = score(*case, np.ones((3, 250)))
    assert set(found) == {*OVERALL, *PER_CLASS}
    assert all(found[name].shape == (3,) for name in OVERALL)
    assert all(found[name].shape == (3, CLASSES) for name in PER_CLASS)


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_averages_are_those_of_scikit_learn(case, average: str):
    probabilities, labels = case
    found, predicted = once(*case), probabilities.argmax(1)
    expected = sk.precision_recall_fscore_support(labels, predicted, average=average, zero_division=0)
    assert [found[f"{name}_{average}"] for name in ("precision", "recall", "f1")] == pytest.approx(expected[:3])


def test_classes_are_those_of_scikit_learn(case):
    probabilities, labels = case
    found, predicted = once(*case), probabilities.argmax(1)
    expected = sk.precision_recall_fscore_support(labels, predicted, zero_division=0)
    for name, values in zip(("precision", "recall", "f1"), expected, strict=False):
        assert found[name] == pytest.approx(values)
    area = [sk.roc_auc_score(labels == k, probabilities[:, k]) for k in range(CLASSES)]
    assert found["auc"] == pytest.approx(area)
    assert found["auc_macro"] == pytest.approx(sk.roc_auc_score(labels, probabilities, multi_class="ovr"))


def test_accuracies_are_those_of_scikit_learn(case):
    probabilities, labels = case
    found, predicted = once(*case), probabilities.argmax(1)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(labels, predicted))
    assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(labels, predicted))
    untied = probabilities + np.random.default_rng(1).random(probabilities.shape) * 1e-6
    assert once(untied, labels)["top_3_accuracy"] == pytest.approx(sk.top_k_accuracy_score(labels, untied, k=3))


def test_specificity_is_the_recall_of_the_others(case):
    probabilities, labels = case
    found, predicted = once(*case), probabilities.argmax(1)
    expected = [sk.recall_score(labels != k, predicted != k) for k in range(CLASSES)]
    assert found["specificity"] == pytest.approx(expected)
    assert found["specificity_mean"] == pytest.approx(np.mean(expected))


def test_sensitivity_at_fixed_specificity_by_trying_every_threshold(case):
    probabilities, labels = case
    found = once(*case)["sensitivity_at_90_specificity"]
    for k in range(CLASSES):
        best = 0.0
        for threshold in [*probabilities[:, k], math.inf]:
            alarm = probabilities[:, k] >= threshold
            if (~alarm[labels != k]).mean() >= 0.9 - 1e-12:
                best = max(best, alarm[labels == k].mean())
        assert found[k] == pytest.approx(best)


def test_weights_count_images_as_often_as_copies_would(case):
    probabilities, labels = case
    counts = np.random.default_rng(2).integers(0, 4, size=(3, len(labels)))
    weighted = score(probabilities, labels, counts)
    calibration = score_calibration(probabilities, labels, counts)
    for row in range(3):
        copies = np.repeat(np.arange(len(labels)), counts[row])
        expected = once(probabilities[copies], labels[copies])
        for name, value in expected.items():
            assert weighted[name][row] == pytest.approx(value), name
        expected = score_calibration(probabilities[copies], labels[copies], np.ones((1, len(copies))))
        for name, value in expected.items():
            assert calibration[name][row] == pytest.approx(value[0]), name


def test_rows_do_not_depend_on_how_many_are_computed_together(case, monkeypatch):
    counts = np.random.default_rng(2).integers(0, 4, size=(5, 250))
    whole = score(*case, counts)
    monkeypatch.setattr("classifier.scores._CHUNK", 600)
    for name, values in score(*case, counts).items():
        np.testing.assert_array_equal(values, whole[name])


def test_by_hand():
    """Three classes, the third absent: A is right twice of three, B once of one, and one A is called C."""
    probabilities = np.array([[0.8, 0.1, 0.1], [0.5, 0.3, 0.2], [0.3, 0.1, 0.6], [0.2, 0.7, 0.1]])
    found = once(probabilities, np.array([0, 0, 0, 1]))
    assert found["recall"] == pytest.approx([2 / 3, 1, math.nan], nan_ok=True)
    assert found["precision"] == pytest.approx([1, 1, math.nan], nan_ok=True)
    assert found["specificity"] == pytest.approx([1, 1, 3 / 4])
    assert found["auc"] == pytest.approx([1, 1, math.nan], nan_ok=True)
    assert found["balanced_accuracy"] == pytest.approx(5 / 6)
    assert found["precision_macro"] == pytest.approx(1)
    assert found["recall_weighted"] == pytest.approx(3 / 4)
    assert found["f1"][:2] == pytest.approx([4 / 5, 1])


def test_a_class_that_is_never_predicted_has_no_merit_but_counts():
    found = once(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 1]))
    assert found["precision"].tolist() == [0.5, 0]
    assert found["f1_macro"] == pytest.approx((2 / 3) / 2)


def test_equal_scores_are_half_a_win():
    probabilities = np.full((6, 2), 0.5)
    assert once(probabilities, np.array([0, 0, 0, 1, 1, 1]))["auc"].tolist() == [0.5, 0.5]


def test_one_class_alone_has_neither_area_nor_specificity():
    found = once(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 0]))
    assert found["accuracy"] == 0.5
    for name in ("auc", "specificity", "sensitivity_at_90_specificity"):
        assert np.isnan(found[name][0]), name


def test_brier_and_log_loss_are_those_of_scikit_learn(case):
    probabilities, labels = case
    found = score_calibration(probabilities, labels, np.ones((1, len(labels))))
    assert found["log_loss"][0] == pytest.approx(sk.log_loss(labels, probabilities))
    one_by_one = sum(sk.brier_score_loss(labels == k, probabilities[:, k]) for k in range(CLASSES))
    assert found["brier"][0] == pytest.approx(one_by_one)


def test_calibration_error_against_a_loop(case):
    probabilities, labels = case
    bins: dict[int, list[tuple[float, bool]]] = {}
    for row, label in zip(probabilities, labels, strict=True):
        bins.setdefault(min(int(row.max() * 15), 14), []).append((row.max(), row.argmax() == label))
    gaps = [abs(sum(c for c, _ in b) / len(b) - sum(r for _, r in b) / len(b)) * len(b) for b in bins.values()]
    found = score_calibration(probabilities, labels, np.ones((1, len(labels))))
    assert found["ece"][0] == pytest.approx(sum(gaps) / len(labels))


def test_impossible_probability_of_the_truth_costs_much_but_is_finite():
    found = score_calibration(np.array([[1.0, 0.0]]), np.array([1]), np.ones((1, 1)))
    assert found["brier"][0] == 2
    assert found["ece"][0] == 1
    assert 700 < found["log_loss"][0] < math.inf
