"""Kernel distance: against its definition, without bias, and honest about its sign and order."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from core.errors import InputRefusedError
from measures import kid as module
from measures.kid import kid, squared_mmd


def slow_squared_mmd(a, b):
    """Gretton et al. 2012, equation 3, one pair at a time."""

    def kernel(x, y):
        return (sum(p * q for p, q in zip(x, y, strict=True)) / len(x) + 1) ** 3

    within_a = np.mean([kernel(a[i], a[j]) for i, j in permutations(range(len(a)), 2)])
    within_b = np.mean([kernel(b[i], b[j]) for i, j in permutations(range(len(b)), 2)])
    return within_a + within_b - 2 * np.mean([kernel(x, y) for x, y in product(a, b)])


def gaussian(n, d=6, mean=0.0, seed=0):
    return np.random.default_rng(seed).normal(mean, 1, (n, d))


def test_equals_its_definition():
    a, b = gaussian(9), gaussian(7, mean=0.5, seed=1)
    assert squared_mmd(a, b) == pytest.approx(slow_squared_mmd(a, b), rel=1e-12)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch):
    a, b = gaussian(50), gaussian(33, seed=1)
    whole = squared_mmd(a, b)
    monkeypatch.setattr(module, "_BLOCK", 8)
    assert squared_mmd(a, b) == pytest.approx(whole, abs=1e-12)


def test_is_unbiased_and_may_be_negative():
    draws = np.array([squared_mmd(gaussian(12, seed=2 * i), gaussian(8, seed=2 * i + 1)) for i in range(500)])
    assert abs(draws.mean()) < 3 * draws.std(ddof=1) / np.sqrt(500)
    assert (draws < 0).any()


def test_equals_the_closed_form_of_two_shifted_points_clouds():
    # x ~ N(0, I), y ~ N(m, I): E k(x, x') = 1 + 3/d; E k(x, y) = 1 + 3/d + 3|m|^2/d^2; E k(y, y') follows by
    # expanding (u + 1)^3 with u = y.y'/d, whose mean is s = |m|^2/d and whose moments are those of a normal product.
    d, shift = 4, 1.0
    s = shift**2  # |m|^2 / d
    variance = (d + 2 * d * s) / d**2
    third = 6 * d * s / d**3  # E (u - s)^3 = 6 |m|^2 / d^3
    within_b = (1 + s) ** 3 + 3 * (1 + s) * variance + third
    between = 1 + 3 * (d + d * s) / d**2
    expected = (1 + 3 / d) + within_b - 2 * between
    draws = [squared_mmd(gaussian(40, d, seed=2 * i), gaussian(40, d, shift, seed=2 * i + 1)) for i in range(400)]
    assert np.mean(draws) == pytest.approx(expected, abs=3 * np.std(draws) / 20)


def test_sides_may_be_swapped_but_keep_their_counts():
    a, b = gaussian(20), gaussian(30, mean=1.0, seed=1)
    there, back = kid(a, b), kid(b, a)
    assert there.value == pytest.approx(back.value, rel=1e-12)
    assert (there.n_a, there.n_b, back.n_a, back.n_b) == (20, 30, 30, 20)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    truth = np.mean(
        [squared_mmd(gaussian(60, seed=10_000 + 2 * i), gaussian(60, 6, 0.6, 10_001 + 2 * i)) for i in range(400)]
    )
    found = [kid(gaussian(60, seed=2 * i), gaussian(60, 6, 0.6, 2 * i + 1), subsets=60) for i in range(200)]
    assert 0.90 <= np.mean([result.low <= truth <= result.high for result in found]) <= 0.99


@pytest.mark.parametrize(("n", "m", "size"), [(40, 40, None), (41, 23, None), (60, 30, 12)])
def test_interval_is_that_of_subsets_taken_out_one_by_one(n: int, m: int, size: int | None):
    a, b = gaussian(n), gaussian(m, mean=0.5, seed=1)
    share = (size or n // 2) / n
    rng = np.random.default_rng(3)
    values = []
    for _ in range(20):
        parts = [x[rng.choice(len(x), size=int(share * len(x)), replace=False)] for x in (a, b)]
        values.append(slow_squared_mmd(*parts))
    spread = np.percentile(values - np.mean(values), (2.5, 97.5)) * np.sqrt(share / (1 - share))
    found = kid(a, b, subsets=20, subset_size=size, seed=3)
    expected = slow_squared_mmd(a, b)
    assert (found.low, found.value, found.high) == pytest.approx(
        (expected + spread[0], expected, expected + spread[1]), abs=1e-10
    )


def test_small_subsets_give_the_same_width_as_halves():
    a, b = gaussian(400), gaussian(400, mean=0.5, seed=1)
    half, tenth = kid(a, b, subsets=300), kid(a, b, subsets=300, subset_size=40)
    assert (tenth.high - tenth.low) == pytest.approx(half.high - half.low, rel=0.35)


def test_depends_on_nothing_but_its_seed():
    a, b = gaussian(20), gaussian(20, seed=1)
    assert kid(a, b) == kid(a, b)
    assert kid(a, b).low != kid(a, b, seed=1).low


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (gaussian(3), gaussian(9), "at least 4"),
        (gaussian(9), gaussian(9, d=5), "same feature extractor"),
        (np.full((9, 6), np.nan), gaussian(9), "NaN"),
    ],
)
def test_refuses_what_cannot_be_compared(a, b, words: str):
    with pytest.raises(InputRefusedError, match=words):
        kid(a, b)


def test_four_images_are_enough_and_half_of_them_are_two():
    a, b = gaussian(4), gaussian(4, mean=0.5, seed=1)
    rng, values = np.random.default_rng(0), []
    for _ in range(100):
        values.append(slow_squared_mmd(*(x[rng.choice(4, size=2, replace=False)] for x in (a, b))))
    expected = slow_squared_mmd(a, b)
    ends = expected + np.percentile(np.array(values) - np.mean(values), (2.5, 97.5))
    found = kid(a, b)  # a hundred subsets, seed 0
    assert (found.low, found.value, found.high) == pytest.approx((ends[0], expected, ends[1]))


def test_subsets_are_at_most_halves_at_least_pairs_and_at_most_a_thousand():
    a, b = gaussian(20, 2), gaussian(12, 2, seed=1)
    assert kid(a, b, subset_size=20) == kid(a, b, subset_size=15) == kid(a, b, subset_size=10) == kid(a, b)
    assert kid(a, b, subset_size=9) != kid(a, b)
    assert kid(a, b, subset_size=1) == kid(a, b, subset_size=2) != kid(a, b, subset_size=3)
    a, b = gaussian(2200, 1), gaussian(5, 1, seed=1)
    whole = kid(a, b, subsets=3)
    assert whole == kid(a, b, subsets=3, subset_size=1000) == kid(a, b, subsets=3, subset_size=1050)
    assert whole != kid(a, b, subsets=3, subset_size=999)


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (gaussian(9)[0], gaussian(9), "shape"),
        (gaussian(9), gaussian(9)[0], "shape"),
        (gaussian(9), np.full((9, 6), np.inf), "infinite"),
        (gaussian(9), gaussian(3), "there are 9 and 3"),
    ],
)
def test_refuses_either_side(a, b, words: str):
    with pytest.raises(InputRefusedError, match=words):
        kid(a, b)
