"""What each arm learns from, counted by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from evaluation.utility.arms import DUPLICATED, REAL, SYNTHETIC_ONLY, plan_arms, training_rows

REAL_ROWS = np.arange(10)
SYNTHETIC_ROWS = np.arange(10, 14)
LABELS = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0])
"""Seven images of class 0 and three of class 1 are real; three of class 1 and one of class 0 are synthetic."""


def rows(key: str, ratios=(1.0,), seed: int = 1) -> list[int]:
    arm = next(arm for arm in plan_arms(ratios) if arm.key == key)
    return training_rows(arm, REAL_ROWS, SYNTHETIC_ROWS, LABELS, seed).tolist()


def test_the_arms_that_make_it_fair():
    arms = plan_arms((5.0, 0.5))
    assert [arm.key for arm in arms] == [
        "real", "real_weighted", "real_oversampled", "real_duplicated", "synthetic_0.5", "synthetic_5",
        "synthetic_only",
    ]  # fmt: skip
    assert [arm.is_control for arm in arms] == [True] * 4 + [False] * 3
    assert {arm.key: arm.balance for arm in arms}["real_weighted"] == "weights"
    assert {arm.key: arm.balance for arm in arms}["real_oversampled"] == "sampling"


@pytest.mark.parametrize("key", [REAL, "real_weighted", "real_oversampled"])
def test_controls_see_real_images_only(key):
    assert rows(key) == list(range(10))


def test_synthetic_alone_sees_no_real_image():
    assert rows(SYNTHETIC_ONLY) == [10, 11, 12, 13]


@pytest.mark.parametrize(("ratio", "count"), [(0.2, 2), (0.5, 5), (1.0, 10), (2.0, 20)])
def test_so_many_synthetic_images_are_added_each_as_often_as_any_other(ratio, count):
    found = rows(f"synthetic_{ratio:g}", (ratio,))
    assert found[:10] == list(range(10))
    added = Counter(found[10:])
    assert sum(added.values()) == count
    assert set(added) <= {10, 11, 12, 13}
    assert max(added.values()) - min(added.get(row, 0) for row in SYNTHETIC_ROWS) <= 1


def test_the_duplicates_have_the_classes_of_the_synthetic_images_and_are_real():
    found = rows(DUPLICATED)
    assert len(found) == 20
    assert set(found) <= set(range(10))
    synthetic = [LABELS[row] for row in rows("synthetic_1")[10:]]
    assert Counter(LABELS[row] for row in found[10:]) == Counter(synthetic)


def test_the_choice_depends_on_the_seed_alone():
    assert rows("synthetic_0.2", (0.2,), seed=3) == rows("synthetic_0.2", (0.2,), seed=3)
    chosen = {tuple(sorted(rows("synthetic_0.2", (0.2,), seed=seed)[10:])) for seed in range(20)}
    assert len(chosen) > 3


def test_a_class_without_real_images_is_not_made_up():
    labels = np.array([0] * 10 + [3] * 4)
    arm = next(arm for arm in plan_arms((1.0,)) if arm.key == DUPLICATED)
    assert training_rows(arm, REAL_ROWS, SYNTHETIC_ROWS, labels, 0).tolist() == list(range(10))


def test_titles_ratios_and_what_is_added():
    arms = {arm.key: arm for arm in plan_arms((2.0, 0.5))}
    assert arms[DUPLICATED].ratio == 2.0, "the first ratio where there is no 1"
    assert {arm.key: arm for arm in plan_arms((2.0, 1.0))}[DUPLICATED].ratio == 1.0
    assert arms[DUPLICATED].title == "real + resampled real (matched control), 2 : 1"
    assert [(arms[key].ratio, arms[key].added, arms[key].real) for key in ("synthetic_0.5", "synthetic_2")] == [
        (0.5, "synthetic", True), (2.0, "synthetic", True),
    ]  # fmt: skip
    assert (arms[SYNTHETIC_ONLY].real, arms[SYNTHETIC_ONLY].is_control) == (False, False)
    assert all(arms[key].added == "nothing" and arms[key].ratio == 0 for key in (REAL, "real_weighted"))


def test_fewer_than_half_an_image_is_none_and_the_rest_is_drawn_without_repetition():
    assert rows("synthetic_0.04", (0.04,)) == list(range(10))
    assert len(rows("synthetic_0.06", (0.06,))) == 11
    added = Counter(rows("synthetic_0.6", (0.6,))[10:])
    assert sorted(added.values()) == [1, 1, 2, 2]


def test_the_draw_is_the_same_for_the_matched_control():
    for seed in range(5):
        wanted = Counter(LABELS[row] for row in rows("synthetic_0.5", (0.5,), seed)[10:])
        arm = next(arm for arm in plan_arms((0.5,)) if arm.key == DUPLICATED)
        found = training_rows(arm, REAL_ROWS, SYNTHETIC_ROWS, LABELS, seed)[10:]
        assert Counter(LABELS[row] for row in found) == wanted
        assert max(Counter(found.tolist()).values()) <= 2
