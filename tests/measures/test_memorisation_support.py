"""The positive control of the search for copies, and numbers of the whole set: what they must and must not see."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm

from measures.memorisation import Memorisation, judge_memorisation
from measures.memorisation_support import (
    chance_of_less,
    control_of,
    interval_of_chance,
    one_of_each,
    search_siblings,
    set_level,
)
from measures.neighbours import Nearest, nearest, to_nearest_other
from tests.measures.photographs import photographs, recompressed, turned


@pytest.fixture(scope="module")
def train() -> np.ndarray:
    return photographs(120, seed=1)


def pairs_of(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, list[str]]:
    return np.concatenate([first, second]), [f"L{i}" for i in range(len(first))] * 2


def judged(train: np.ndarray, held_out: np.ndarray, lesions: list[str], samples: np.ndarray) -> Memorisation:
    return judge_memorisation(samples, train, held_out, lesions=lesions)


def test_the_control_finds_second_photographs_that_are_all_but_the_first(train):
    first = photographs(60, seed=2)
    held_out, lesions = pairs_of(first, turned(recompressed(first), seed=5))
    control = judged(train, held_out, lesions, photographs(10, seed=3)).control
    assert control is not None
    assert control.n == 60
    assert control.share >= 0.95
    assert control.low < control.share <= control.high


def test_the_control_does_not_find_what_only_bears_the_name_of_the_lesion(train):
    held_out, lesions = pairs_of(photographs(60, seed=2), photographs(60, seed=4))
    control = judged(train, held_out, lesions, photographs(10, seed=3)).control
    assert control is not None
    assert (control.n, control.share) == (60, pytest.approx(0, abs=0.05))


def test_lesions_with_one_photograph_give_no_control_but_numbers_of_the_set(train):
    result = judged(train, photographs(30, seed=2), [f"L{i}" for i in range(30)], photographs(10, seed=3))
    assert result.control is None
    assert result.to_json()["control"] is None
    assert result.to_json()["set_level"]["pixels 32x32"]["authentic"]["n"] == 10


def test_the_control_changes_nothing_in_the_judgement(train):
    first = photographs(40, seed=2)
    held_out, lesions = pairs_of(first, recompressed(first))
    samples = photographs(10, seed=3)
    without = judge_memorisation(samples, train, held_out)
    assert judged(train, held_out, lesions, samples).pairs == without.pairs
    assert {"control", "set_level"}.isdisjoint(without.to_json())


def test_copies_are_not_authentic_and_nearer(train):
    lesions = [f"L{i}" for i in range(100)]
    level = judged(train, photographs(100, seed=2), lesions, turned(train[:50], seed=1)).set_level["pixels 32x32"]
    assert level.authentic.share == 0
    assert level.authentic_held_out.share > 0.3
    assert level.nearer == 1
    assert level.low > 0.9
    assert level.c_t < -5


def test_new_photographs_are_as_held_out_ones(train):
    lesions = [f"L{i}" for i in range(100)]
    level = judged(train, photographs(100, seed=2), lesions, photographs(100, seed=3)).set_level["pixels 32x32"]
    assert level.low <= 0.5 <= level.high
    assert abs(level.c_t) < 2.5
    assert level.authentic.low <= level.authentic_held_out.high


def test_a_lesion_counts_once_however_often_it_was_photographed(train):
    few = photographs(20, seed=2)
    held_out, lesions = np.concatenate([few, few[:1].repeat(30, axis=0)]), [*map(str, range(20)), *["0"] * 30]
    level = judged(train, held_out, lesions, photographs(10, seed=3)).set_level["pixels 32x32"]
    assert level.authentic_held_out.n == 20


def test_chance_is_that_of_mann_and_whitney_ties_counted_half():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, 30).astype(float), rng.integers(2, 11, 20).astype(float)
    assert chance_of_less(a, b) == pytest.approx(mannwhitneyu(b, a).statistic / 600)
    assert chance_of_less(a, b) + chance_of_less(b, a) == pytest.approx(1)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_interval_of_the_chance_covers_it_about_as_often_as_it_says(shift: float):
    rng, truth = np.random.default_rng(0), norm.cdf(shift / np.sqrt(2))
    found = [
        interval_of_chance(chance_of_less(rng.normal(0, 1, 40), rng.normal(shift, 1, 25)), 40, 25) for _ in range(500)
    ]
    assert 0.92 <= np.mean([low <= truth <= high for low, high in found]) <= 0.98


@pytest.mark.parametrize(("chance", "low", "high"), [(1.0, 0.8, 1.0), (0.0, 0.0, 0.2)])
def test_interval_at_the_ends_is_not_empty(chance: float, low: float, high: float):
    found = interval_of_chance(chance, 40, 30)
    assert found[0] == pytest.approx(low, abs=0.15)
    assert found[1] == pytest.approx(high, abs=0.15)
    assert found[1] - found[0] > 0.01


def test_the_further_image_is_one_more_reference_image():
    rng = np.random.default_rng(0)
    queries, reference, more = rng.normal(0, 1, (8, 5, 6)), rng.normal(0, 1, (70, 6)), rng.normal(0, 1, (1, 6))
    whole = nearest(queries, np.concatenate([reference, more]))
    further = np.linalg.norm(queries - more, axis=2).min(axis=0)
    found = nearest(queries, reference, further)
    assert (found.index == whole.index).all()
    assert found.relative == pytest.approx(whole.relative)


def test_nearest_other_image_over_several_blocks(monkeypatch: pytest.MonkeyPatch):
    points = np.random.default_rng(0).normal(0, 1, (23, 4))
    monkeypatch.setattr("measures.neighbours._BLOCK", 7)
    expected = [np.delete(np.linalg.norm(points - one, axis=1), i).min() for i, one in enumerate(points)]
    assert to_nearest_other(points) == pytest.approx(np.array(expected))


def test_the_first_of_each_group():
    assert one_of_each(["b", "a", "b", "c"]).tolist() == [0, 1, 3]


def test_the_search_for_second_photographs_by_hand():
    """One view, one number: the second photograph is found where it is nearer than every training image."""
    training = np.array([[0.0], [10.0], [20.0]])
    views = np.array([[[1.0], [1.5], [14.0], [11.0], [30.0], [5.0]]])
    found = search_siblings(views, training, ["a", "a", "b", "b", "c", "c"])
    # a: 0.5 to its other one, against 1, 9 and 19; b: 3 against 4, 6, 14; c: 25 against 10, 20, 30
    assert found == pytest.approx([0.5 / ((0.5 + 1 + 9 + 19) / 4), 3 / ((3 + 4 + 6 + 14) / 4), np.inf])
    assert search_siblings(views, training, [1, 2, 3, 4, 5, 6]).shape == (0,)
    three = search_siblings(views, training, ["a", "a", "a", "b", "c", "d"])
    assert three == pytest.approx([0.5 / ((0.5 + 1 + 9 + 19) / 4)]), "the nearest of the others counts"


def test_the_control_counts_what_is_below_the_threshold_in_any_space():
    relative = {"one": np.array([0.2, 0.4, np.inf]), "two": np.array([0.9, 0.5, np.inf])}
    found = control_of(relative, {"one": 0.4, "two": 0.5}, 1.0)
    assert (found.share, found.n) == (pytest.approx(1 / 3), 3), "0.5 and 1 and infinity: only below counts"
    assert control_of({"one": np.array([0.0, 0.1])}, {"one": 0.0}, 1.0).share == 0.5
    assert control_of({"one": np.empty(0)}, {"one": 1.0}, 1.0) is None


def test_numbers_of_a_set_by_hand():
    training = np.array([[0.0], [2.0], [7.0]])  # 2, 2 and 5 to their nearest other ones

    def near(index: list[int], distance: list[float]) -> Nearest:
        return Nearest(np.array(index), np.array(distance), np.ones(len(index)))

    level = set_level(near([0, 1, 2, 2], [2.0, 3.0, 5.5, 1.0]), near([0, 0, 2], [2.5, 9.0, 1.0]), training, "aab")
    assert (level.authentic.share, level.authentic.n) == (0.5, 4), "2 is not farther than 2"
    assert (level.authentic_held_out.share, level.authentic_held_out.n) == (0.5, 2), "lesion a by its first photograph"
    assert level.nearer == pytest.approx((1 + 0 + 0 + 1.5) / 8)
    assert level.c_t == pytest.approx((0.5 - 2.5 / 8) * np.sqrt(12 * 8 / 7))
    assert (level.low, level.high) == interval_of_chance(2.5 / 8, 4, 2)
