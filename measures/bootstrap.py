"""How sure a number is, when photographs of one lesion are no independent witnesses: bootstrap of whole lesions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Counts = NDArray[np.int32]

CONFIDENCE: Final = (2.5, 97.5)
"""Percentiles of a 95 % interval."""


def bootstrap_by_group(
    statistic: Callable[[Indices], float],
    groups: Sequence[Hashable],
    *,
    repeats: int = 2000,
    seed: int = 0,
    strata: Sequence[Hashable] | None = None,
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic under resampling of groups.

    Parameters
    ----------
    statistic
        Takes the indices of the items in a resample, with repetitions, and returns a finite number.
    groups, strata, repeats, seed
        As for `resampled_counts`.

    Raises
    ------
    ValueError
        If there are no items, if groups and strata differ in length, or if the statistic is not finite.
    """
    items = np.arange(len(groups))
    counts = resampled_counts(groups, strata=strata, repeats=repeats, seed=seed)
    values = np.array([statistic(np.repeat(items, count)) for count in counts], dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("the statistic is not finite on some resamples")
    low, high = np.percentile(values, CONFIDENCE)
    return float(low), float(high)


def resampled_counts(
    groups: Sequence[Hashable], *, strata: Sequence[Hashable] | None = None, repeats: int = 2000, seed: int = 0
) -> Counts:
    """Return how often each item is in each resample, shape (repeats, N), int32.

    Parameters
    ----------
    groups
        Group (lesion) of every item. As many groups as there are are drawn with replacement; a group brings all its
        items along.
    strata
        Stratum (class) of every item; then groups are drawn within their stratum, so that every resample has as many
        groups of each class as the data.

    Raises
    ------
    ValueError
        If there are no items, or if groups and strata differ in length.
    """
    if not len(groups):
        raise ValueError("there is nothing to resample")
    if strata is not None and len(strata) != len(groups):
        raise ValueError(f"{len(groups)} groups do not go with {len(strata)} strata")
    rng = np.random.default_rng(seed)
    counts = np.empty((repeats, len(groups)), dtype=np.int32)
    for part in _items_by_name(strata if strata is not None else [0] * len(groups)):
        owner = _codes([groups[item] for item in part])
        counts[:, part] = _group_counts(int(owner.max()) + 1, repeats, rng)[:, owner]
    return counts


def _group_counts(groups: int, repeats: int, rng: np.random.Generator) -> Counts:
    """Return how often each of `groups` groups is drawn in each of `repeats` resamples."""
    drawn = rng.integers(groups, size=(repeats, groups)) + groups * np.arange(repeats)[:, None]
    return np.bincount(drawn.ravel(), minlength=repeats * groups).reshape(repeats, groups).astype(np.int32)


def _items_by_name(names: Sequence[Hashable]) -> list[Indices]:
    codes = _codes(names)
    return [np.flatnonzero(codes == code) for code in range(int(codes.max()) + 1)]


def _codes(names: Sequence[Hashable]) -> Indices:
    """Number the distinct names in order of first appearance."""
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int64)
