"""Where the experiment's answer turns: numbers written by hand, no simulation and no training."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t as student

from evaluation.utility.arms import plan_arms
from evaluation.utility.request import UtilityRequest
from evaluation.utility.statistics import Difference, Interval, Scores, interval_of, lesion_weights
from evaluation.utility.store import Store
from evaluation.utility.training import Outcome
from evaluation.utility.verdict import ArmResult, differences, judge, points
from measures.bootstrap import resampled_counts

ARMS = {arm.key: arm for arm in plan_arms((1.0, 2.0))}
EMPTY = np.empty((0, 7), np.float32)
METRIC = "balanced_accuracy"


def result(key: str, value: float, chosen_by: float, seeds: int = 5, spread: float = 0.01) -> ArmResult:
    """An arm with a value, hardly any scatter between lesions, and the score on the validation lesions."""
    values = np.full((seeds, 41), value) + spread * np.linspace(-1, 1, 41) * np.r_[0, np.ones(40)]
    return ArmResult(ARMS[key], (Outcome(EMPTY, EMPTY, 1, chosen_by),) * seeds, Scores({METRIC: values}))


def said(*results: ArmResult, copies: int = 0):
    return judge(results, differences(results, METRIC), 77, copies)


@pytest.mark.parametrize(
    ("gain", "level", "words"),
    [(0.05, "good", "Better than the best control: "), (0.079, "good", "Better than"),
     (0.081, "bad", "Too good to be true: "), (-0.05, "bad", "Worse than the best control: "),
     (0.0, "doubt", "No detectable difference: ")],
)  # fmt: skip
def test_the_gain_over_the_best_control_decides(gain, level, words):
    found = said(result("real", 0.5, 0.6), result("real_weighted", 0.2, 0.5), result("synthetic_1", 0.5 + gain, 0.4))
    assert (found.level, found.chosen, found.control) == (level, "synthetic_1", "real")
    assert found.words.startswith(words)
    assert f"{100 * gain:+.1f} percentage points" in found.words
    assert "suspiciously" not in found.words
    assert "seeds are few" not in found.words
    if level != "bad" or gain < 0:
        assert "77 test lesions" in found.words
    assert found.difference.interval.value == pytest.approx(gain)


def test_arms_are_chosen_by_the_mean_score_on_the_validation_lesions():
    results = [
        result("real", 0.5, 0.6), result("real_duplicated", 0.9, 0.59), result("synthetic_1", 0.53, 0.7),
        result("synthetic_2", 0.55, 0.71), result("synthetic_only", 0.1, 0.99),
    ]  # fmt: skip
    found = said(*results)
    assert (found.chosen, found.control) == ("synthetic_2", "real")
    uneven = ArmResult(
        ARMS["synthetic_1"], tuple(Outcome(EMPTY, EMPTY, 1, x) for x in (0.2, 1.0, 1.0)), results[2].scores
    )
    assert uneven.validation_score == pytest.approx(2.2 / 3)
    assert len(differences(results, METRIC)) == 6
    assert all(not ARMS[one.arm].is_control and ARMS[one.than].is_control for one in differences(results, METRIC))


def test_the_largest_of_several_alarms_is_told():
    found = said(
        result("real", 0.5, 0.6), result("synthetic_1", 0.6, 0.5), result("synthetic_2", 0.7, 0.4),
        result("synthetic_only", 0.65, 0.1),
    )  # fmt: skip
    assert found.chosen == "synthetic_2"
    assert found.words.startswith("Too good to be true")


@pytest.mark.parametrize(
    ("seeds", "words"), [(1, "Only one seed"), (2, "2 seeds are few"), (4, "4 seeds are few"), (5, "")]
)
def test_fewer_than_five_seeds_are_said(seeds, words):
    found = said(result("real", 0.5, 0.6, seeds), result("synthetic_1", 0.55, 0.4, seeds))
    assert words in found.words
    assert ("few" in found.words or "Only one" in found.words) is bool(words)


def test_a_suspicious_gain_that_may_be_nothing_and_copies_of_the_test():
    large = said(result("real", 0.5, 0.6, spread=0.3), result("synthetic_1", 0.6, 0.4, spread=-0.3))
    assert large.level == "doubt"
    assert "suspiciously large" in large.words
    small = said(result("real", 0.5, 0.6, spread=0.3), result("synthetic_1", 0.57, 0.4, spread=-0.3))
    assert "suspiciously large" not in small.words
    spoilt = said(result("real", 0.5, 0.6), result("synthetic_1", 0.55, 0.4), copies=1)
    assert (spoilt.level, "1 synthetic image" in spoilt.words) == ("bad", True)


def test_points_are_signed_and_an_unknown_one_is_a_question():
    assert [points(share) for share in (None, 0.0123, -0.5, 0.0)] == ["?", "+1.2", "-50.0", "+0.0"]


@pytest.mark.parametrize(
    ("low", "high", "covers"),
    [(-0.1, 0.1, True), (0.0, 0.1, True), (-0.1, 0.0, True), (0.01, 0.1, False), (None, 1.0, True)],
)
def test_zero_at_an_end_is_covered(low, high, covers):
    assert Interval(0.05, low, high).covers_zero is covers
    value = 0.05 if low is None or high is None else (low + high) / 2
    call = Difference("a", "b", METRIC, Interval(value, low, high)).call
    assert (call == "not distinguishable") is covers
    assert Difference("a", "b", METRIC, Interval(None, 1.0, 2.0)).call == "not distinguishable"
    assert Difference("a", "b", "brier", Interval(-0.2, -0.3, -0.1)).call == "better"
    assert Difference("a", "b", METRIC, Interval(-0.2, -0.3, -0.1)).call == "worse"


def test_lesions_and_seeds_add_their_variances_and_the_quantile_is_welchs():
    rng = np.random.default_rng(0)
    values = rng.normal(0.6, 0.02, (4, 1)) + rng.normal(0, 0.03, (4, 201))
    found = interval_of(values)
    lesions = values[:, 1:].mean(axis=0).var(ddof=1)
    seeds = values[:, 0].var(ddof=1) / 4
    freedom = (lesions + seeds) ** 2 / (seeds**2 / 3)
    half = student.ppf(0.975, freedom) * math.sqrt(lesions + seeds)
    mean = values[:, 0].mean()
    assert (found.value, found.low, found.high) == pytest.approx((mean, mean - half, mean + half))
    one = interval_of(values[:1])
    assert one.high - one.low == pytest.approx(2 * 1.959964 * values[0, 1:].std(ddof=1), rel=1e-4)
    holes = values.copy()
    holes[:, 5:] = np.nan
    assert interval_of(holes).low is not None
    holes[:, 2:] = np.nan
    assert interval_of(holes) == Interval(float(mean))


def test_the_first_row_of_the_weights_is_the_test_set_itself():
    labels, lesions = np.array([0, 0, 1, 1, 1]), ["a", "a", "b", "c", "d"]
    weights = lesion_weights(lesions, labels, repeats=50, seed=3)
    assert (weights[0] == 1).all()
    assert np.array_equal(weights[1:], resampled_counts(lesions, strata=labels.tolist(), repeats=50, seed=3))
    assert lesion_weights(lesions, labels).shape == (2001, 5)


def test_a_training_is_kept_for_its_arm_seed_settings_and_images_alone(tmp_path, ask):
    request: UtilityRequest = ask()
    training = request.settings.training
    rng = np.random.default_rng(0)
    outcome = Outcome(rng.random((3, 7), np.float32), rng.random((4, 7), np.float32), 5, 0.625)
    store = Store(tmp_path, "data", training)
    store.write(ARMS["synthetic_1"], 42, outcome)
    assert (tmp_path / "runs" / "synthetic_1" / "seed_42.npz").is_file()
    read = store.read(ARMS["synthetic_1"], 42)
    assert np.array_equal(read.validation, outcome.validation)
    assert np.array_equal(read.test, outcome.test)
    assert (read.best_step, read.score) == (5, 0.625)
    assert store.read(ARMS["synthetic_1"], 43) is None
    assert store.read(ARMS["synthetic_2"], 42) is None
    (tmp_path / "runs" / "synthetic_2").mkdir()
    (tmp_path / "runs" / "synthetic_1" / "seed_42.npz").rename(tmp_path / "runs" / "synthetic_2" / "seed_42.npz")
    assert store.read(ARMS["synthetic_2"], 42) is None, "of another arm"
    for other in (Store(tmp_path, "other", training), Store(tmp_path, "data", ask(steps=7).settings.training)):
        store.write(ARMS["synthetic_1"], 42, outcome)
        assert other.read(ARMS["synthetic_1"], 42) is None
