"""Statistics over independent images: paired tests, intervals, effect sizes, and Holm's correction over a family.

Every image gives one number, or one pair. Steps of one trajectory, repeats of one intervention and random rivals of one
region are not independent, so they are averaged before anything is tested. With a single image there is no test.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

CONFIDENCE: Final = 0.95
RESAMPLES: Final = 4000
SIGN_FLIPS: Final = 9999
ALPHA: Final = 0.05
PRIMARY_TEST: Final = "wilcoxon_p"


@dataclass(frozen=True, slots=True)
class PairedResult:
    """How far paired values differ, over n independent images.

    Attributes
    ----------
    mean, median
        Of the differences.
    low, high
        95 % bootstrap interval (BCa) of the mean difference; None for fewer than 2 images.
    wilcoxon_p
        Wilcoxon signed-rank test, two-sided; the primary test, which Holm's correction is applied to.
    permutation_p
        Sign-flip permutation test of the mean difference, two-sided; (hits + 1) / (draws + 1), exact for few images.
    welch_p
        Welch's t test of the two sets of values as if they were not paired, as ISICGenerator's README asks.
    rank_biserial
        Matched-pairs rank-biserial correlation (Kerby 2014), -1..1.
    cohens_d
        Mean difference over its standard deviation; None where that is 0 or there are fewer than 2 images.
    smallest_p
        The smallest p that Wilcoxon's test can give with so many images.
    holm_p
        `wilcoxon_p` corrected over the family by `holm`; None where there is no family.

    All p-values are None for fewer than 2 images.
    """

    n: int
    mean: float
    median: float
    low: float | None = None
    high: float | None = None
    wilcoxon_p: float | None = None
    permutation_p: float | None = None
    welch_p: float | None = None
    rank_biserial: float | None = None
    cohens_d: float | None = None
    smallest_p: float | None = None
    holm_p: float | None = None

    @property
    def covers_zero(self) -> bool | None:
        """Whether the interval holds 0, or None where there is no interval."""
        return None if self.low is None or self.high is None else self.low <= 0 <= self.high

    def to_json(self) -> dict[str, Any]:
        """Return all fields as JSON types, with `covers_zero`."""
        return {**asdict(self), "covers_zero": self.covers_zero}


def compare_pairs(first: Sequence[float] | Floats, second: Sequence[float] | Floats, seed: int = 0) -> PairedResult:
    """Compare paired values, one pair for each independent image.

    Parameters
    ----------
    seed
        Of bootstrap and permutations.

    Raises
    ------
    ValueError
        If there are no pairs, or the two differ in length.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if not len(a) or a.shape != b.shape:
        raise ValueError(f"{a.shape} and {b.shape} are no pairs")
    d = a - b
    if len(d) < 2:
        return PairedResult(len(d), float(d.mean()), float(np.median(d)))
    low, high = bootstrap_interval(d, seed)
    deviation = float(d.std(ddof=1))
    return PairedResult(
        n=len(d),
        mean=float(d.mean()),
        median=float(np.median(d)),
        low=low,
        high=high,
        wilcoxon_p=wilcoxon_p(d),
        permutation_p=float(sign_flip_p(d[None], seed)[0]),
        welch_p=welch_p(a, b),
        rank_biserial=rank_biserial(d),
        cohens_d=float(d.mean()) / deviation if deviation > 0 else None,
        smallest_p=2.0 ** (1 - len(d)),
    )


def wilcoxon_p(differences: Floats) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test; 1 where all differences are 0."""
    return float(stats.wilcoxon(differences, zero_method="pratt").pvalue) if differences.any() else 1.0


def sign_flip_p(differences: Floats, seed: int = 0, draws: int = SIGN_FLIPS) -> Floats:
    """Return the two-sided p of the sign-flip permutation test of the mean, for each row of differences (F, n).

    All 2**n patterns are tried where they are no more than `draws`; else random ones, counted with the data itself:
    p = (hits + 1) / (draws + 1), which is never 0 (Phipson and Smyth 2010).
    """
    n = differences.shape[1]
    observed = np.abs(differences.sum(axis=1))
    if 2**n <= draws:
        patterns, extra = np.array(list(itertools.product((-1.0, 1.0), repeat=n))), 0
    else:
        patterns, extra = np.random.default_rng(seed).choice((-1.0, 1.0), size=(draws, n)), 1
    sums = np.abs(differences @ patterns.T)
    hits = (sums >= observed[:, None] * (1 - 1e-12)).sum(axis=1)  # the data's own pattern, rounded otherwise, is a hit
    return np.asarray((hits + extra) / (len(patterns) + extra), dtype=np.float64)


def joint_null_p(groups: Sequence[Floats], seed: int = 0, draws: int = SIGN_FLIPS) -> float:
    """Return the p of all comparisons of all groups together, for differences that are symmetric about 0.

    An image's signs are flipped in all its comparisons at once, so that comparisons that share images are never
    counted as independent (Westfall and Young 1993). The statistic is the largest |z| of any comparison in any group
    or, where there are several, in all groups together; z = sum / sqrt(sum of squares), of variance 1 under the flips.

    Parameters
    ----------
    groups
        Each of shape (n, comparisons): one row for each independent image; the same comparisons in each group.

    Returns
    -------
    (hits + 1) / (draws + 1), never 0.
    """
    rng = np.random.default_rng(seed)
    sums = [group.sum(axis=0, keepdims=True) for group in groups]
    flipped = [rng.choice((-1.0, 1.0), size=(draws, len(group))) @ group for group in groups]
    squares = [(group**2).sum(axis=0) for group in groups]
    observed, by_chance = _largest_z(sums, squares), _largest_z(flipped, squares)
    hits = int((by_chance >= observed * (1 - 1e-12)).sum())
    return (hits + 1) / (draws + 1)


def _largest_z(sums: Sequence[Floats], squares: Sequence[Floats]) -> Floats:
    """Return the largest |z| of each draw, from sums (draws, comparisons) and their sums of squares by group."""
    pairs = list(zip(sums, squares, strict=True))
    if len(pairs) > 1:
        pairs.append((np.sum(sums, axis=0), np.sum(squares, axis=0)))
    found = [np.abs(total) / np.sqrt(np.maximum(square, np.finfo(float).tiny)) for total, square in pairs]
    return np.asarray(np.concatenate(found, axis=1).max(axis=1), dtype=np.float64)


def welch_p(first: Floats, second: Floats) -> float | None:
    """Return the two-sided p of Welch's t test, or None where neither set varies."""
    if not (np.ptp(first) or np.ptp(second)):
        return None
    return float(stats.ttest_ind(first, second, equal_var=False).pvalue)


def rank_biserial(differences: Floats) -> float:
    """Return the positive share of the rank sum minus the negative one; 0 where all differences are 0."""
    left = differences[differences != 0]
    if not len(left):
        return 0.0
    ranks = stats.rankdata(np.abs(left))
    return float((ranks * np.sign(left)).sum() / ranks.sum())


def bootstrap_interval(values: Floats, seed: int = 0, resamples: int = RESAMPLES) -> tuple[float, float]:
    """Return the 95 % interval of the mean by bias-corrected and accelerated bootstrap (Efron 1987).

    Values that are all equal give an interval of no width.
    """
    if not np.ptp(values):
        return float(values[0]), float(values[0])
    found = stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=resamples,
        method="BCa",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected over their family by Holm's step-down method (Holm 1979), in the same order."""
    order = np.argsort(p_values, kind="stable")
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, position in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[position]))
        corrected[position] = largest
    return corrected
