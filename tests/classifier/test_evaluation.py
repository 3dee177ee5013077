"""Intervals are those of the plain bootstrap of lesions, and hold what they promise."""

from __future__ import annotations

import json

import numpy as np
import pytest

from classifier.evaluation import Answers, Estimate, confusion, evaluate
from classifier.scores import balanced_accuracy
from measures.bootstrap import bootstrap_by_group

CODES = ("MEL", "NV", "BCC")


def make_answers(labels, logits, lesions, temperature: float = 1.0) -> Answers:
    labels = np.asarray(labels, dtype=np.int64)
    names = tuple(f"image {i}" for i in range(len(labels)))
    return Answers(CODES, labels, np.asarray(logits, float), np.full(len(labels), temperature), tuple(lesions), names)


@pytest.fixture
def answers() -> Answers:
    rng = np.random.default_rng(0)
    labels = rng.choice(3, size=120, p=[0.3, 0.5, 0.2])
    logits = rng.normal(size=(120, 3)) + 1.5 * np.eye(3)[labels]
    return make_answers(labels, logits, [f"{label}-{i % 17}" for i, label in enumerate(labels)], 0.7)


def test_interval_is_that_of_the_plain_bootstrap(answers: Answers):
    truth, predicted = answers.labels, answers.logits.argmax(1)
    expected = bootstrap_by_group(
        lambda i: balanced_accuracy(truth[i], predicted[i]),
        answers.lesions, repeats=200, seed=1, strata=truth.tolist(),
    )  # fmt: skip
    found = evaluate(answers, repeats=200, seed=1).headline
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.low < found.value < found.high


def test_copies_of_a_lesions_image_do_not_narrow_the_interval(answers: Answers):
    tenfold = make_answers(np.tile(answers.labels, 10), np.tile(answers.logits, (10, 1)), answers.lesions * 10, 0.7)
    once, many = evaluate(answers, repeats=100), evaluate(tenfold, repeats=100)
    for name, estimate in once.overall.items():
        assert (many.overall[name].low, many.overall[name].high) == pytest.approx((estimate.low, estimate.high)), name
    assert (many.images, many.lesions) == (1200, once.lesions)


def test_95_percent_intervals_cover_the_truth_about_as_often():
    """Lesions of three images that are right or wrong together, with probability 0.7: an image counts a third."""
    rng, hits = np.random.default_rng(4), 0
    for trial in range(100):
        right = np.repeat(rng.random(120) < 0.7, 3)
        labels = np.repeat(np.arange(120) % 3, 3)
        logits = np.eye(3)[np.where(right, labels, (labels + 1) % 3)]
        lesions = [str(i // 3) for i in range(360)]
        found = evaluate(make_answers(labels, logits, lesions), repeats=100, seed=trial).headline
        hits += found.low <= 0.7 <= found.high
    assert 87 <= hits <= 99


def test_probabilities_are_divided_by_the_temperature(answers: Answers):
    found = evaluate(answers, repeats=10)
    same = evaluate(make_answers(answers.labels, answers.logits / 0.7, answers.lesions), repeats=10)
    assert found.calibrated == same.raw
    assert found.raw != found.calibrated
    assert found.temperature == pytest.approx(0.7)


def test_interval_of_the_calibration_error_encloses_it():
    """The plain percentiles of a well calibrated classifier's ECE all lie above it."""
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(400, 3)) * 2
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (rng.random((400, 1)) > shares.cumsum(1)).sum(1)
    found = evaluate(make_answers(labels, logits, map(str, range(400))), repeats=300).raw["ece"]
    assert 0 <= found.low < found.value < found.high < 0.12


def test_a_class_with_one_lesion_has_no_interval_and_an_absent_one_no_score():
    logits = np.eye(3)[[0, 0, 1, 1, 0]]
    found = evaluate(make_answers([0, 0, 1, 1, 0], logits, ["a", "b", "c", "c", "d"]), repeats=50)
    assert found.per_class["NV"]["recall"] == Estimate(1.0)
    assert found.per_class["MEL"]["recall"] == Estimate(1.0, 1.0, 1.0)
    assert found.per_class["BCC"]["recall"] == found.per_class["BCC"]["auc"] == Estimate(None)
    assert found.headline.value == 1.0
    assert "BCC" not in found.curves
    assert found.class_lesions == {"MEL": 3, "NV": 1, "BCC": 0}
    json.dumps({name: e.to_json() for name, e in found.per_class["BCC"].items()}, allow_nan=False)


def test_confusion_rows_are_true_classes(answers: Answers):
    predicted = answers.logits.argmax(1)
    matrix = confusion(answers.labels, predicted, 3)
    for t in range(3):
        for p in range(3):
            assert matrix[t, p] == ((answers.labels == t) & (predicted == p)).sum()


def test_curves_enclose_the_area_that_is_told(answers: Answers):
    found = evaluate(answers, repeats=5)
    for code, curve in found.curves.items():
        assert np.trapezoid(curve.tpr, curve.fpr) == pytest.approx(found.per_class[code]["auc"].value)
        assert (curve.fpr[0], curve.tpr[0], curve.fpr[-1], curve.tpr[-1]) == (0, 0, 1, 1)


def test_estimates_read_aloud():
    assert str(Estimate(0.5, 0.4, 0.6)) == "0.500 (0.400 to 0.600)"
    assert str(Estimate(None)) == "not defined"
    assert str(Estimate(1.0)) == "1.000"


def test_chance_is_that_of_the_classes_measured():
    two = make_answers([0] * 20 + [1] * 5, np.eye(3)[[0] * 20 + [1] * 5], map(str, range(25)))
    found = evaluate(two, repeats=10)
    assert found.chance == 0.5
    assert found.is_small
    three = make_answers([0, 1, 2] * 10, np.eye(3)[[0, 1, 2] * 10], map(str, range(30)))
    found = evaluate(three, repeats=10)
    assert found.chance == pytest.approx(1 / 3)
    assert not found.is_small
