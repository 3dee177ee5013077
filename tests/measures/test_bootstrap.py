"""Bootstrap by lesion: it covers the truth as often as it says, and lesions stay whole."""

from __future__ import annotations

import numpy as np
import pytest

from measures.bootstrap import bootstrap_by_group, resampled_counts


def test_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(500):
        sizes = rng.integers(1, 4, size=60)
        groups = np.repeat(np.arange(60), sizes)
        values = rng.normal(0, 1, 60)[groups] + rng.normal(0, 0.3, len(groups))
        low, high = bootstrap_by_group(lambda i, v=values: float(v[i].mean()), groups.tolist(), repeats=200, seed=trial)
        hits += low <= 0 <= high
    assert 0.92 <= hits / 500 <= 0.98


def test_photographs_of_one_lesion_do_not_count_as_independent():
    values, lesions = np.repeat([0.0, 1.0, 0.0, 1.0, 1.0], 40), np.repeat(np.arange(5), 40).tolist()
    by_lesion = bootstrap_by_group(lambda i: float(values[i].mean()), lesions)
    by_image = bootstrap_by_group(lambda i: float(values[i].mean()), list(range(200)))
    assert by_lesion[1] - by_lesion[0] > 4 * (by_image[1] - by_image[0])


def test_lesions_stay_whole():
    counts = resampled_counts(["a", "b", "a", "c", "b"], repeats=50)
    assert counts.shape == (50, 5)
    assert (counts[:, 0] == counts[:, 2]).all()
    assert (counts[:, 1] == counts[:, 4]).all()
    assert (counts[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_classes_keep_their_number_of_lesions():
    counts = resampled_counts(["a", "b", "c", "d", "e"], strata=[0, 0, 1, 1, 1], repeats=50)
    assert (counts[:, :2].sum(axis=1) == 2).all()
    assert (counts[:, 2:].sum(axis=1) == 3).all()


def test_draws_groups_evenly():
    counts = resampled_counts(list(range(10)), repeats=4000)
    assert counts.mean(axis=0) == pytest.approx(1.0, abs=0.06)
    assert counts.var(axis=0) == pytest.approx(0.9, abs=0.1)  # binomial(10, 1/10)


def test_depends_on_nothing_but_its_seed():
    assert (resampled_counts(list("abcd")) == resampled_counts(list("abcd"))).all()
    assert (resampled_counts(list("abcd")) != resampled_counts(list("abcd"), seed=1)).any()


def test_refuses_nothing_and_nan():
    with pytest.raises(ValueError, match="nothing"):
        resampled_counts([])
    with pytest.raises(ValueError, match="strata"):
        resampled_counts(["a"], strata=[0, 1])
    with pytest.raises(ValueError, match="not finite"):
        bootstrap_by_group(lambda i: float("nan"), ["a", "b"], repeats=3)


def test_the_ends_are_the_percentiles_of_the_statistic_on_each_resample():
    values, lesions = np.random.default_rng(1).normal(0, 1, 30), [f"L{row // 2}" for row in range(30)]
    strata = ["MEL"] * 12 + ["NV"] * 18
    counts = resampled_counts(lesions, strata=strata, repeats=300, seed=4)
    found = sorted(float((count * values).sum() / count.sum()) for count in counts)
    places = [share * 299 for share in (0.025, 0.975)]
    expected = [found[int(x)] + (x - int(x)) * (found[int(x) + 1] - found[int(x)]) for x in places]
    ends = bootstrap_by_group(lambda i: float(values[i].mean()), lesions, strata=strata, repeats=300, seed=4)
    assert ends == pytest.approx(tuple(expected))


def test_it_draws_2000_times_with_seed_0_unless_told_otherwise():
    groups = list("abcde")
    assert (resampled_counts(groups) == resampled_counts(groups, repeats=2000, seed=0)).all()
    values = np.arange(5.0)

    def mean(rows: np.ndarray) -> float:
        return float(values[rows].mean())

    seen: list[int] = []
    bootstrap_by_group(lambda rows: seen.append(len(rows)) or 0.0, groups)
    assert seen == [5] * 2000
    assert bootstrap_by_group(mean, groups) == bootstrap_by_group(mean, groups, repeats=2000, seed=0)
    assert bootstrap_by_group(lambda rows: float(rows[0]), ["a"], repeats=2) == (0.0, 0.0)


def test_strata_may_be_named_by_anything_and_lie_anywhere():
    groups, strata = ["a", "b", "a", "c", "d", "d"], ["x", None, "x", 3, 3, 3]
    counts = resampled_counts(groups, strata=strata, repeats=200)
    assert (counts[:, [0, 1, 2]] == 1).all(), "one lesion of its class comes every time"
    assert (counts[:, 3] + counts[:, 4] == 2).all()
    assert (counts[:, 4] == counts[:, 5]).all()
    assert set(counts[:, 3].tolist()) == {0, 1, 2}
