"""Which images of a set are nearly the same: the threshold is calibrated on photographs of different lesions.

The threshold is `MARGIN` times the distance that 99 % of the photographs keep from their nearest other one; of fewer
than 100 it is the smallest such distance. Photographs that are there several times say nothing about how near different
ones come, so each counts once: with their distance of zero the threshold would be zero, and nothing would lie below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from measures.features import Floats
from measures.memorisation import FALSE_ALARM
from measures.neighbours import distances

MARGIN: Final = 0.75
"""Of the distance that 99 % of real photographs keep: its estimate from a few dozen of them is a matter of luck."""

FEWEST: Final = 10
"""With fewer different photographs only exact copies count."""

EXACT: Final = 0.01
"""Share of the usual distance of two photographs below which two images are one: what rounding leaves of zero."""


@dataclass(frozen=True, eq=False)
class NearDuplicates:
    """What was found in a set.

    Attributes
    ----------
    scores
        How far each image's nearest other one is, in units of what photographs keep, (n,).
    partners
        Which it is, (n,).
    threshold
        An image is a near-duplicate if its score is below; 0 if there are too few different photographs.
    photographs
        Number of different photographs that the threshold comes from.
    """

    scores: Floats
    partners: NDArray[np.int64]
    threshold: float
    photographs: int

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Which images are near-duplicates, (n,)."""
        return self.scores < self.threshold

    @property
    def expected(self) -> float:
        """Share of different images that is flagged by chance, at most: 1 %, more with fewer than 100 photographs."""
        return max(FALSE_ALARM, 1 / (self.photographs + 1))


def between(views: Floats) -> Floats:
    """Return the distance of each image to each other one, (n, n), to itself infinite; `views` is (8, n, D)."""
    found = distances(views, views[0])
    found = np.minimum(found, found.T)
    np.fill_diagonal(found, np.inf)
    return found


def different(space: Floats) -> NDArray[np.int64]:
    """Return the rows of a matrix of distances that are left when each image counts once."""
    least = EXACT * _usual(space)
    kept: list[int] = []
    for row in range(len(space)):
        if not (space[row, kept] <= least).any():
            kept.append(row)
    return np.array(kept, dtype=np.int64)


def near_duplicates(synthetic: Sequence[Floats], real: Sequence[Floats]) -> NearDuplicates:
    """Find the images that are nearly another one of their set in any space.

    Parameters
    ----------
    synthetic, real
        Distances between all images of the set, and between all photographs, in each space: (n, n), to itself infinite.
        The first space is the one that tells whether two photographs are one.
    """
    rows = different(real[0])
    pairs = [(own, space[np.ix_(rows, rows)]) for own, space in zip(synthetic, real, strict=True)]
    if len(rows) < FEWEST:
        return NearDuplicates(synthetic[0].min(axis=1), synthetic[0].argmin(axis=1), 0.0, len(rows))
    # a space in which different photographs are one tells nothing apart
    told = [(own, space, unit) for own, space in pairs if (unit := _unit(space)) > EXACT * _usual(space)]
    scores = np.min([own / unit for own, _, unit in told], axis=0)
    reference = np.min([(space / unit).min(axis=1) for _, space, unit in told], axis=0)
    threshold = MARGIN * float(np.quantile(reference, FALSE_ALARM, method="weibull"))
    return NearDuplicates(scores.min(axis=1), scores.argmin(axis=1), threshold, len(rows))


def _unit(space: Floats) -> float:
    return float(np.quantile(space.min(axis=1), FALSE_ALARM))


def _usual(space: Floats) -> float:
    """Return the median distance of two images."""
    finite = space[np.isfinite(space)]
    return float(np.median(finite)) if finite.size else 0.0
