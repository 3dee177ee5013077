"""How far generated images are from photographs of lesions that the generator has not seen, and how far is normal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.taxonomy import CLASS_CODES, CLASS_INDEX
from measures.features import Floats
from measures.kid import MIN_IMAGES, Kid, kid

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Distance:
    """A kernel distance and what to compare it with.

    Attributes
    ----------
    kid
        From generated images to photographs of held-out lesions.
    floor
        From as many photographs of training lesions to the same held-out ones: what real images reach.
    """

    kid: Kid
    floor: Kid


@dataclass(frozen=True, slots=True)
class Distances:
    """Distances in one feature space.

    Attributes
    ----------
    features
        Name of the feature space.
    overall
        Over all classes, in which every class has equally many images on either side.
    by_class
        By class code; without the classes that have fewer than four images somewhere.
    """

    features: str
    overall: Distance | None
    by_class: Mapping[str, Distance]

    @property
    def mean(self) -> float | None:
        """Mean over the classes of their distances; None if there are none."""
        values = [distance.kid.value for distance in self.by_class.values()]
        return float(np.mean(values)) if values else None


@dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """Features (N, D) with the class of each row, (N,)."""

    features: Floats
    labels: Labels

    def rows(self, code: str) -> Labels:
        """Return the indices of a class's rows."""
        return np.flatnonzero(self.labels == CLASS_INDEX[code])


def measure_distances(
    generated: LabelledFeatures, train: LabelledFeatures, held_out: LabelledFeatures, name: str, *, seed: int = 0
) -> Distances:
    """Compare generated images with photographs of held-out lesions, class by class and together.

    Parameters
    ----------
    name
        Of the features.
    seed
        Of the choice of photographs where there are more than are needed.
    """
    rng = np.random.default_rng(seed)
    sides = (generated, train, held_out)
    by_class = {}
    for code in CLASS_CODES:
        drawn, trained, held = (side.rows(code) for side in sides)
        enough = rng.permutation(trained)[: len(drawn)]
        if min(len(drawn), len(enough), len(held)) >= MIN_IMAGES:
            by_class[code] = _distance(sides, (drawn, enough, held))
    matched = _matched(sides, rng)
    overall = _distance(sides, matched) if len(matched[0]) >= MIN_IMAGES else None
    return Distances(name, overall, by_class)


def _distance(sides: Sequence[LabelledFeatures], rows: Sequence[Labels]) -> Distance:
    drawn, trained, held = (side.features[chosen] for side, chosen in zip(sides, rows, strict=True))
    return Distance(kid(drawn, held), kid(trained, held))


def _matched(sides: Sequence[LabelledFeatures], rng: np.random.Generator) -> list[Labels]:
    """Choose equally many rows of each class from every side, so that the mixture of classes is no difference."""
    chosen: list[list[Labels]] = [[] for _ in sides]
    for code in CLASS_CODES:
        rows = [rng.permutation(side.rows(code)) for side in sides]
        count = min(map(len, rows))
        for kept, some in zip(chosen, rows, strict=True):
            kept.append(some[:count])
    return [np.concatenate(parts) for parts in chosen]
