"""Statistics against hand-worked examples, against definitions done slowly, and against their own promises."""

import itertools

import numpy as np
import pytest
from scipy import stats

from xai.statistics import (
    bootstrap_interval,
    compare_pairs,
    holm,
    joint_null_p,
    rank_biserial,
    sign_flip_p,
    welch_p,
    wilcoxon_p,
)


def test_holm_by_hand():
    # Holm 1979: sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, and never decreasing
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []
    assert holm([0.2]) == [0.2]


def test_permutation_of_few_pairs_is_the_full_enumeration():
    differences = np.array([0.5, -0.2, 1.3, 0.9, 0.1, 0.7])
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product((1, -1), repeat=6)]
    expected = np.mean(np.array(sums) >= differences.sum() - 1e-12)
    assert sign_flip_p(differences[None])[0] == pytest.approx(expected)


def test_permutation_of_many_pairs_is_never_zero():
    p_value = sign_flip_p(np.full((1, 60), 1.0) + np.arange(60) / 100, draws=999)[0]
    assert p_value == pytest.approx(1 / 1000)


def test_wilcoxon_reaches_its_smallest_p_and_takes_zeros():
    assert wilcoxon_p(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])) == pytest.approx(2 / 2**6)
    assert compare_pairs(np.arange(1.0, 7.0), np.zeros(6)).smallest_p == pytest.approx(2 / 2**6)
    assert wilcoxon_p(np.zeros(5)) == 1.0


def test_welch_by_its_formula():
    first, second = np.array([3.0, 4.0, 5.5, 6.0]), np.array([1.0, 1.5, 1.2])
    a, b = first.var(ddof=1) / 4, second.var(ddof=1) / 3
    t = (first.mean() - second.mean()) / np.sqrt(a + b)
    freedom = (a + b) ** 2 / (a**2 / 3 + b**2 / 2)
    assert welch_p(first, second) == pytest.approx(2 * stats.t.sf(abs(t), freedom))
    assert welch_p(np.ones(4), np.ones(3)) is None
    assert welch_p(np.ones(3), second) == pytest.approx(2 * stats.t.sf(abs((1 - second.mean()) / np.sqrt(b)), 2))


def test_rank_biserial_by_hand():
    # ranks of |d|: 1, 2, 3, 4; the negative one has rank 2, so (1 + 3 + 4 - 2) / 10
    assert rank_biserial(np.array([0.1, -0.2, 0.3, 0.4])) == pytest.approx(0.6)
    assert rank_biserial(np.array([1.0, 0.0, 2.0])) == 1.0
    assert rank_biserial(np.zeros(3)) == 0.0


def test_cohens_d_is_the_mean_over_the_deviation_of_the_differences():
    found = compare_pairs([3.0, 5.0, 4.0], [1.0, 1.0, 1.0])
    assert found.cohens_d == pytest.approx(3.0 / 1.0)
    assert compare_pairs([2.0, 2.0], [1.0, 1.0]).cohens_d is None


def test_one_image_is_an_anecdote():
    found = compare_pairs([1.0], [0.25])
    assert (found.n, found.mean) == (1, 0.75)
    tests = (found.low, found.high, found.wilcoxon_p, found.permutation_p, found.welch_p, found.cohens_d, found.holm_p)
    assert tests == (None,) * 7
    assert found.covers_zero is None


def test_two_images_are_the_fewest_that_are_tested():
    found = compare_pairs([1.0, 2.0], [0.5, 0.25])
    assert (found.low, found.high) == (pytest.approx(0.5), pytest.approx(1.75))
    assert (found.wilcoxon_p, found.permutation_p, found.smallest_p) == (0.5, 0.5, 0.5)
    assert found.cohens_d == pytest.approx(1.125 / np.std([0.5, 1.75], ddof=1))


def test_an_interval_covers_zero_or_does_not():
    assert compare_pairs([2.0, 3.0, 2.5, 4.0], [1.0, 1.0, 1.0, 1.0]).covers_zero is False
    assert compare_pairs([2.0, 0.0, 2.5, -1.0], [1.0, 1.0, 1.0, 1.0]).covers_zero is True


def test_no_pairs_are_refused():
    with pytest.raises(ValueError, match="no pairs"):
        compare_pairs([], [])
    with pytest.raises(ValueError, match="no pairs"):
        compare_pairs([1.0, 2.0], [1.0])


def test_p_values_are_uniform_under_the_null():
    families = np.random.default_rng(8).standard_t(4, size=(3000, 14))  # symmetric about 0, far from normal
    permutation = sign_flip_p(families, draws=2000)
    assert stats.kstest(permutation, "uniform").pvalue > 0.001
    wilcoxon = stats.wilcoxon(families, axis=1).pvalue
    np.testing.assert_allclose([wilcoxon_p(row) for row in families[:40]], wilcoxon[:40])
    assert np.mean(wilcoxon < 0.05) == pytest.approx(0.05, abs=0.012)
    assert np.mean(permutation < 0.05) == pytest.approx(0.05, abs=0.012)


def test_the_joint_p_of_one_comparison_is_that_of_the_sign_flip_test():
    values = np.random.default_rng(4).normal(0.4, 1, (14, 1))
    exact = sign_flip_p(values.T, draws=2**14)[0]
    assert joint_null_p([values], draws=20_000) == pytest.approx(exact, abs=0.012)


def test_the_joint_p_by_trying_every_pattern_of_signs():
    rng = np.random.default_rng(5)
    groups = [rng.normal(0.2, 1, (5, 3)), rng.normal(0, 2, (4, 3))]
    both = np.concatenate(groups)

    def largest(signs):
        parts = (signs[:5, None] * groups[0], signs[5:, None] * groups[1], signs[:, None] * both)
        return max(np.abs(part.sum(axis=0) / np.sqrt((part**2).sum(axis=0))).max() for part in parts)

    observed = largest(np.ones(9))
    exact = np.mean([largest(np.array(s)) >= observed - 1e-12 for s in itertools.product((-1.0, 1.0), repeat=9)])
    assert joint_null_p(groups, draws=40_000) == pytest.approx(exact, abs=0.01)


def test_the_joint_p_holds_its_level_however_alike_the_comparisons_are():
    rng = np.random.default_rng(7)
    for alike in (0.0, 1.0):
        found = []
        for _ in range(400):
            shared, own = rng.normal(size=(12, 1)), rng.normal(size=(12, 8))
            found.append(joint_null_p([alike * shared + (1 - alike) * own], seed=len(found), draws=199))
        assert 0.02 < np.mean(np.array(found) <= 0.05) < 0.09


def test_the_joint_p_sees_one_comparison_of_many_that_stands():
    values = np.random.default_rng(8).normal(size=(12, 8))
    values[:, 3] += 3
    assert joint_null_p([values]) < 0.01
    assert joint_null_p([np.zeros((12, 8))]) == 1


def test_holm_holds_the_family_wise_error():
    families = np.random.default_rng(2).normal(size=(400, 8, 12))
    wrong = 0
    for family in stats.wilcoxon(families, axis=2).pvalue:
        wrong += min(holm(family)) < 0.05
    assert wrong / 400 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_intervals_cover_what_they_promise():
    rng = np.random.default_rng(4)
    covered = 0
    for seed in range(300):
        low, high = bootstrap_interval(rng.exponential(size=30), seed, resamples=600)  # true mean 1, skewed
        covered += low <= 1 <= high
    assert 0.90 <= covered / 300 <= 0.975  # a skewed sample of 30 loses some


def test_intervals_of_values_that_do_not_vary_have_no_width():
    assert bootstrap_interval(np.full(5, 0.3)) == (0.3, 0.3)
