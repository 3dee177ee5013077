"""What stands beside a judgement of memorisation: how much the search would find, and numbers of the whole set.

The positive control puts another photograph of a held-out lesion among the training images and asks whether it is
found. The numbers of the whole set (Alaa et al. 2022, arXiv:2102.08921; Meehan et al. 2020, arXiv:2004.05675) are blind
to a few copies, and stand beside what held-out photographs reach.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import binomtest

from measures.features import Floats
from measures.neighbours import Nearest, distances, nearest, to_nearest_other

_Z: Final = 1.959963984540054
_EDGE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Share:
    """Hits out of n, as a share with its 95 % interval (Wilson)."""

    share: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, hits: NDArray[np.bool_]) -> Share:
        """Return the share of what is true."""
        low, high = binomtest(int(hits.sum()), len(hits)).proportion_ci(method="wilson")
        return cls(float(hits.mean()), float(low), float(high), len(hits))


@dataclass(frozen=True, slots=True)
class SetLevel:
    """Numbers of a whole set in one space.

    Attributes
    ----------
    authentic, authentic_held_out
        Share of samples, and of held-out lesions, that are farther from their nearest training image than that is from
        its own nearest other one (AuthPct).
    nearer, low, high
        Chance that a sample is nearer to the training images than a photograph of a held-out lesion is, 0.5 without
        copies; its 95 % interval (Newcombe 2006, method 5).
    c_t
        The same as Mann and Whitney's z, below 0 where samples are nearer: C_T over the set undivided.
    """

    authentic: Share
    authentic_held_out: Share
    nearer: float
    low: float
    high: float
    c_t: float


def one_of_each(groups: Sequence[Hashable]) -> NDArray[np.int64]:
    """Return the index of the first item of each group."""
    first: dict[Hashable, int] = {}
    for row, group in enumerate(groups):
        first.setdefault(group, row)
    return np.array(list(first.values()), dtype=np.int64)


def search_siblings(views: Floats, training: Floats, lesions: Sequence[Hashable]) -> Floats:
    """Look for another photograph of each lesion that has several among training images to which it is added.

    Parameters
    ----------
    views
        Features of all views of held-out photographs, (8, n, D).
    training
        Features of the training images, (m, D).
    lesions
        Of the held-out photographs.

    Returns
    -------
    Relative distance, one for each such lesion; infinite where a training image is nearer than its other photograph.
    """
    names = np.unique([str(lesion) for lesion in lesions], return_inverse=True)[1]
    firsts = [int(row) for row in one_of_each(names.tolist()) if (names == names[row]).sum() > 1]
    if not firsts:
        return np.empty(0)
    others = [np.flatnonzero((names == names[row]) & (np.arange(len(names)) != row)) for row in firsts]
    siblings = [distances(views[:, [row]], views[0, rows]).min() for row, rows in zip(firsts, others, strict=True)]
    found = nearest(views[:, firsts], training, np.array(siblings))
    return np.where(found.index == len(training), found.relative, np.inf)


def control_of(relative: Mapping[str, Floats], units: Mapping[str, float], threshold: float) -> Share | None:
    """Return the share of lesions whose other photograph is found at a threshold; None if there is no such lesion."""
    scores = np.min([found / max(units[name], np.finfo(float).tiny) for name, found in relative.items()], axis=0)
    return Share.of(scores < threshold) if len(scores) else None


def set_level(samples: Nearest, held_out: Nearest, training: Floats, lesions: Sequence[Hashable]) -> SetLevel:
    """Compare how near samples and held-out lesions are to the training images."""
    rows, own = one_of_each(lesions), to_nearest_other(training)
    authentic = samples.distance > own[samples.index], (held_out.distance > own[held_out.index])[rows]
    n, m = len(samples.distance), len(rows)
    nearer = chance_of_less(samples.distance, held_out.distance[rows])
    low, high = interval_of_chance(nearer, n, m)
    return SetLevel(Share.of(authentic[0]), Share.of(authentic[1]), nearer, low, high, z_of_chance(nearer, n, m))


def chance_of_less(a: Floats, b: Floats) -> float:
    """Return the chance that one of `a` is less than one of `b`, ties half: the area of Mann and Whitney."""
    ordered = np.sort(b)
    greater = len(b) - (np.searchsorted(ordered, a, "left") + np.searchsorted(ordered, a, "right")) / 2
    return float(greater.mean() / len(b))


def z_of_chance(chance: float, n: int, m: int) -> float:
    """Return Mann and Whitney's z of such a chance of `n` against `m`, negative where the first ones are less."""
    return float((0.5 - chance) * np.sqrt(12 * n * m / (n + m + 1)))


def interval_of_chance(chance: float, n: int, m: int) -> tuple[float, float]:
    """Return the 95 % interval of such a chance of `n` against `m` (Newcombe 2006, method 5)."""
    return _lower(chance, n, m), 1 - _lower(1 - chance, n, m)


def _lower(chance: float, n: int, m: int) -> float:
    """Return the least true chance that is within 1.96 of its own standard errors of what was seen."""

    def surplus(true: float) -> float:
        spread = 1 + ((n + m) / 2 - 1) * ((1 - true) / (2 - true) + true / (1 + true))
        return chance - true - _Z * float(np.sqrt(true * (1 - true) * spread / (n * m)))

    return float(brentq(surplus, 0, min(chance, 1 - _EDGE))) if chance > 0 else 0.0
