"""What the experiment says when the truth is known: simulated answers of classifiers, no training.

Every lesion has its own difficulty, every training its own luck, and every arm finds some lesions easier than others
do; only the planted effect makes one arm better. Classes are as unequal as in HAM10000 where nothing else is said.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from scipy.special import expit

from classifier.scores import fit_temperature, probabilities_of, score, score_calibration
from core.taxonomy import CLASS_CODES
from evaluation.utility.arms import plan_arms
from evaluation.utility.statistics import (
    HEADLINE,
    LEAKAGE,
    METRICS,
    RECALL,
    SMALLER_IS_BETTER,
    Scores,
    compare,
    interval_of,
    lesion_weights,
    scores_of,
)
from evaluation.utility.training import Outcome
from evaluation.utility.verdict import ArmResult, differences, judge

pytestmark = pytest.mark.slow

PER_CLASS = (30, 130, 14, 10, 28, 6, 6)
LARGE = (150,) * 7
EXPERIMENTS = 600
REPEATS = 200
ARMS = plan_arms((0.5, 1.0, 2.0, 5.0))


class World:
    """A test set whose lesions have one or two photographs."""

    def __init__(self, lesions_of_class: tuple[int, ...] = PER_CLASS):
        lesions = [(label, n) for label, count in enumerate(lesions_of_class) for n in range(count)]
        views = [(label, n) for label, n in lesions for _ in range(1 + n % 2)]
        self.labels = np.array([label for label, _ in views])
        self.names = [f"{label}-{n}" for label, n in views]
        _, self.owner = np.unique(self.names, return_inverse=True)
        self.count = len(lesions)
        self.weights = lesion_weights(self.names, self.labels, repeats=REPEATS)
        self.of_class = np.eye(7)[self.labels]
        self.support = self.weights @ self.of_class

    def balanced_accuracy(self, right: np.ndarray) -> np.ndarray:
        """Return (S, 1 + R) of (S, N) right answers."""
        hits = np.einsum("rn,sn,nk->srk", self.weights, right.astype(float), self.of_class, optimize=True)
        return (hits / self.support).mean(axis=2)

    def experiment(self, rng: np.random.Generator, gain: float = 0.0, seeds: int = 5, luck: float = 0.15):
        """Return every arm's result; `gain` (in logits) is what real photographs with synthetic images have more.

        `luck` is the scatter between trainings; 0.15 is about 2 points of balanced accuracy.
        """
        difficulty = rng.normal(0.5, 1.5, self.count)
        return [
            self._arm(rng, arm, difficulty, gain * (arm.real and not arm.is_control), luck * rng.normal(size=seeds))
            for arm in ARMS
        ]

    def _arm(self, rng, arm, difficulty, gain, luck):
        taste = rng.normal(0, 0.5, self.count)
        chance = expit((difficulty + taste + gain)[None, self.owner] + luck[:, None])
        values = self.balanced_accuracy(rng.random(chance.shape) < chance)
        seen = [float(expit(0.5 + gain + one) + rng.normal(0, 0.03)) for one in luck]
        empty = np.empty((0, 7), dtype=np.float32)
        outcomes = tuple(Outcome(empty, empty, 1, score) for score in seen)
        return ArmResult(arm, outcomes, Scores({HEADLINE: values}))


@pytest.fixture(scope="module")
def small() -> World:
    return World()


@pytest.fixture(scope="module")
def without_effect(small) -> list[list[ArmResult]]:
    """Many experiments in which synthetic images do nothing."""
    rng = np.random.default_rng(0)
    return [small.experiment(rng) for _ in range(EXPERIMENTS)]


def said(results: list[ArmResult]) -> str:
    """Return the first words of the verdict."""
    return judge(results, differences(results, HEADLINE), 100, 0).words.split(":")[0]


def answers(world: World, gain: float, experiments: int) -> Counter:
    """Count the first words of the verdicts; trainings scatter little, so that few experiments suffice."""
    rng = np.random.default_rng(0)
    return Counter(said(world.experiment(rng, gain, luck=0.05)) for _ in range(experiments))


def test_an_experiment_without_effect_says_no_gain_at_least_95_times_in_100(without_effect):
    found = Counter(map(said, without_effect))
    claimed = found["Better than the best control"] + found["Too good to be true"]
    assert claimed <= 0.05 * EXPERIMENTS, found
    assert found["No detectable difference"] >= 0.9 * EXPERIMENTS, found


def test_a_planted_gain_is_found():
    found = answers(World(LARGE), 0.3, 20)  # about 5 points of balanced accuracy
    assert found["Better than the best control"] >= 18, found
    assert found["Worse than the best control"] == 0


@pytest.mark.parametrize(("lesions", "words"), [(29, "too few (29) test lesions"), (30, " 30 test lesions")])
def test_few_test_lesions_are_said_in_the_sentence_of_the_number(lesions, words):
    results = World(LARGE).experiment(np.random.default_rng(0), luck=0.05)
    assert words in judge(results, differences(results, HEADLINE), lesions, 0).words


def test_a_planted_harm_is_found():
    found = answers(World(LARGE), -0.4, 20)
    assert found["Worse than the best control"] >= 18, found


def test_a_planted_leak_raises_the_alarm():
    found = answers(World(LARGE), 1.5, 20)  # about 18 points
    assert found["Too good to be true"] == 20


def test_a_leak_in_an_arm_that_was_not_chosen_raises_the_alarm_too(small):
    results = World(LARGE).experiment(np.random.default_rng(0), luck=0.05)
    alone = results[-1]
    assert alone.arm.key == "synthetic_only"
    results[-1] = ArmResult(alone.arm, alone.outcomes, Scores({HEADLINE: alone.scores.values[HEADLINE] + 0.2}))
    verdict = judge(results, differences(results, HEADLINE), 100, 0)
    assert verdict.words.startswith("Too good to be true: synthetic only exceeds")
    assert verdict.chosen == "synthetic_only"


def test_a_large_gain_that_may_be_nothing_is_called_suspicious(small):
    results = small.experiment(np.random.default_rng(0))
    shift = np.array([-0.3, 0.5, 0.0, 0.6, 0.1])[:, None]
    loose = [
        ArmResult(one.arm, one.outcomes, Scores({HEADLINE: one.scores.values[HEADLINE] + shift}))
        if one.arm.key.startswith("synthetic_") and one.arm.real
        else one
        for one in results
    ]
    words = judge(loose, differences(loose, HEADLINE), small.count, 0).words
    assert words.startswith("No detectable difference")
    assert "suspiciously large" in words


def test_test_photographs_among_the_synthetic_ones_end_all_talk(small):
    results = small.experiment(np.random.default_rng(0))
    verdict = judge(results, differences(results, HEADLINE), small.count, 1)
    assert verdict.level == "bad"
    assert "Photographs of the test set" in verdict.words


def test_few_seeds_are_said(small):
    results = small.experiment(np.random.default_rng(0), seeds=2)
    assert "2 seeds are few" in judge(results, differences(results, HEADLINE), small.count, 0).words


def test_arms_are_chosen_by_the_validation_lesions_alone(small):
    results = small.experiment(np.random.default_rng(3))
    chosen = judge(results, differences(results, HEADLINE), small.count, 0)
    shuffled = [
        ArmResult(one.arm, one.outcomes, other.scores) for one, other in zip(results, reversed(results), strict=True)
    ]
    again = judge(shuffled, differences(shuffled, HEADLINE), small.count, 0)
    assert (chosen.chosen, chosen.control) == (again.chosen, again.control)


def test_the_interval_covers_the_true_difference_as_often_as_it_says(without_effect):
    """Over every arm with synthetic images against every control: 92 to 98 % hold the truth, which is 0."""
    covers = [[one.interval.covers_zero for one in differences(results, HEADLINE)] for results in without_effect]
    assert 0.92 <= np.mean(covers) <= 0.98
    assert np.mean(covers, axis=0).min() >= 0.92, "for each of the comparisons"


def test_the_same_answers_differ_by_nothing():
    values = np.random.default_rng(0).random((3, 50))
    difference = compare("a", Scores({HEADLINE: values}), "b", Scores({HEADLINE: values}))
    assert (difference.interval.value, difference.call) == (0.0, "not distinguishable")


def test_a_smaller_calibration_error_is_better():
    values = np.random.default_rng(0).normal(0.2, 0.001, (5, 200))
    lower = compare("a", Scores({"ece": values - 0.1}), "b", Scores({"ece": values}), "ece")
    higher = compare("a", Scores({"ece": values + 0.1}), "b", Scores({"ece": values}), "ece")
    assert (lower.call, higher.call) == ("better", "worse")


def test_an_interval_of_five_numbers_is_students():
    """Where the lesions tell no uncertainty apart, the seeds' own t interval is what is left."""
    seeds = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    found = interval_of(np.column_stack([seeds, *[seeds] * 10]))
    half = 2.7764451 * math.sqrt(0.025 / 5)  # t of 4 degrees of freedom at 97.5 %
    assert (found.low, found.high) == (pytest.approx(0.3 - half), pytest.approx(0.3 + half))


def test_what_has_no_meaning_has_no_number():
    assert interval_of(np.array([[np.nan, 0.1], [0.2, 0.1]])).value is None
    assert interval_of(np.array([[0.5, np.nan]])).low is None


def test_scores_are_those_of_the_classifier_room(small):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1, (len(small.labels), 7)).astype(np.float32) + 2 * np.eye(7)[small.labels]
    outcome = Outcome(logits.astype(np.float32), logits.astype(np.float32), 1, 0.0)
    found = scores_of([outcome, outcome], small.labels, small.labels, small.weights[:20])
    expected = small.balanced_accuracy((logits.argmax(1) == small.labels)[None])[0, :20]
    assert found.values[HEADLINE][0] == pytest.approx(expected)
    assert set(found.values) == {*METRICS, *(f"{RECALL}{code}" for code in CLASS_CODES)}
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    once = score(probabilities, small.labels, np.ones((1, len(small.labels))))
    assert found.values["auc_macro"][0, 0] == pytest.approx(once["auc_macro"][0], abs=0.02)


def test_the_alarm_is_where_the_literature_ends():
    assert LEAKAGE == 0.08


def test_every_score_is_the_one_of_its_name_at_the_temperature_of_the_validation_lesions(small):
    rng = np.random.default_rng(1)
    logits = [(rng.normal(0, 2, (len(small.labels), 7)) + 2 * np.eye(7)[small.labels]).astype(np.float32) for _ in "ab"]
    found = scores_of([Outcome(*logits, 1, 0.0)], small.labels, small.labels, small.weights[:9])
    temperature = fit_temperature(logits[0].astype(float), small.labels)
    assert temperature > 1.2
    probabilities = probabilities_of(logits[1].astype(float) / temperature)
    plain = score(probabilities, small.labels, small.weights[:9])
    calibration = score_calibration(probabilities, small.labels, small.weights[:9])
    for name in ("balanced_accuracy", "f1_macro", "auc_macro"):
        assert found.values[name][0] == pytest.approx(plain[name])
    for name in ("ece", "brier"):
        assert found.values[name][0] == pytest.approx(calibration[name])
    sensitivity = plain["sensitivity_at_90_specificity"][:, 0]
    assert found.values["melanoma_sensitivity_at_90_specificity"][0] == pytest.approx(sensitivity)
    for label, code in enumerate(CLASS_CODES):
        assert found.values[f"recall_{code}"][0] == pytest.approx(plain["recall"][:, label])
    assert set(METRICS) & {"ece", "brier"} == SMALLER_IS_BETTER
    interval = found.interval(HEADLINE)
    assert interval == interval_of(found.values[HEADLINE])
    assert interval.to_json() == {"value": interval.value, "low": interval.low, "high": interval.high}
