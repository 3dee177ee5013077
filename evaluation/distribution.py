"""How far a synthetic set is from real photographs: kernel and Frechet distance, precision, recall, density, coverage.

All of them beside what real photographs of other lesions reach, class by class and over all classes (equally many
images of each class on either side, so that the mixture of classes is no difference).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.few import count_in_words
from core.message import Message
from core.taxonomy import CLASS_CODES, CLASS_INDEX
from measures.frechet import Frechet, measure_frechet
from measures.kid import MIN_IMAGES, Kid, kid
from measures.prdc import K, Prdc, prdc
from reports.model import Level

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

ALL: Final = "all"
SUBSETS: Final = 100
FEW: Final = 0.5
"""Below this share of what real photographs reach, coverage says that most of them are missing from a set, and with
precision or recall that it is something else."""


@dataclass(frozen=True, eq=False)
class Side:
    """The features (N, D) of a set, with class and lesion of each row; class -1 where it is unknown."""

    features: Floats
    labels: Labels
    lesions: Sequence[str]

    def only(self, rows: Labels) -> Side:
        """Return some of the rows."""
        return Side(self.features[rows], self.labels[rows], [self.lesions[row] for row in rows])

    def of(self, code: str) -> Labels:
        """Return the rows of a class."""
        return np.flatnonzero(self.labels == CLASS_INDEX[code])


@dataclass(frozen=True, slots=True)
class Comparison:
    """One synthetic set against real photographs in one space, over all classes or in one.

    Attributes
    ----------
    n_synthetic, n_real, lesions
        Images on either side, and lesions of the real ones.
    kid, kid_floor
        None where there are too few images.
    prdc, prdc_matched, prdc_reference
        With all images; with as many as the reference has; real against other real ones. None where there are too few.
    reference_n
        Images on either side of the reference.
    """

    n_synthetic: int
    n_real: int
    lesions: int
    kid: Kid | None
    kid_floor: Kid | None
    frechet: Frechet
    prdc: Prdc | None
    prdc_matched: Prdc | None
    prdc_reference: Prdc | None
    reference_n: int

    @property
    def level(self) -> Level:
        """What the numbers say about the set."""
        if self.kid is None or self.kid_floor is None or self.prdc_matched is None or self.prdc_reference is None:
            return "unknown"
        matched, reference = self.prdc_matched, self.prdc_reference
        is_foreign = matched.precision < FEW * reference.precision or matched.recall < FEW * reference.recall
        if is_foreign and matched.coverage < FEW * reference.coverage:
            return "bad"
        return "good" if self.kid.low <= max(self.kid_floor.high, 0.0) else "doubt"

    def to_json(self) -> dict[str, Any]:
        """Return every number; null where there is none."""
        frechet = asdict(self.frechet) | {"refused": self.frechet.refused and str(self.frechet.refused)}
        four = {"value": self.prdc, "matched": self.prdc_matched, "reference": self.prdc_reference}
        return {
            "n_synthetic": self.n_synthetic,
            "n_real": self.n_real,
            "lesions": self.lesions,
            "kid": self.kid and asdict(self.kid),
            "kid_floor": self.kid_floor and asdict(self.kid_floor),
            "frechet": frechet,
            "prdc": {name: found and found.to_json() for name, found in four.items()}
            | {"reference_n": self.reference_n},
            "level": self.level,
        }


def compare(synthetic: Side, real: Side, seed: int = 0) -> Mapping[str, Comparison]:
    """Compare two sides over all classes (``all``) and in each class that both have."""
    return dict(_comparisons(synthetic, real, seed))


def _comparisons(synthetic: Side, real: Side, seed: int) -> Iterator[tuple[str, Comparison]]:
    rng = np.random.default_rng(seed)
    yield ALL, _compare(*_matched(synthetic, real, rng), rng)
    for code in CLASS_CODES:
        rows = synthetic.of(code), real.of(code)
        if min(map(len, rows)):
            yield code, _compare(synthetic.only(rows[0]), real.only(rows[1]), rng)


def _compare(synthetic: Side, real: Side, rng: np.random.Generator) -> Comparison:
    first, second = _halves(real, rng)
    halves = (first.features, second.features)
    count = min(*map(len, halves), len(synthetic.features))
    some = rng.permutation(len(synthetic.features))[:count]
    can_compare = count > K
    enough = min(len(synthetic.features), len(real.features)) >= MIN_IMAGES
    seed = int(rng.integers(2**31))
    return Comparison(
        n_synthetic=len(synthetic.features),
        n_real=len(real.features),
        lesions=len(set(real.lesions)),
        kid=kid(synthetic.features, real.features, subsets=SUBSETS, seed=seed) if enough else None,
        kid_floor=kid(*halves, subsets=SUBSETS, seed=seed) if min(map(len, halves)) >= MIN_IMAGES else None,
        frechet=measure_frechet(synthetic.features, real.features, halves, rng),
        prdc=prdc(real.features, synthetic.features) if can_compare else None,
        prdc_matched=prdc(halves[0], synthetic.features[some]) if can_compare else None,
        prdc_reference=prdc(halves[0], halves[1][:count]) if can_compare else None,
        reference_n=count,
    )


def _halves(side: Side, rng: np.random.Generator) -> tuple[Side, Side]:
    """Divide a side into two halves that share no lesion, classes alike."""
    first: list[int] = []
    second: list[int] = []
    for label in np.unique(side.labels):
        rows = np.flatnonzero(side.labels == label)
        lesions = list(dict.fromkeys(side.lesions[row] for row in rows.tolist()))
        kept = {lesions[place] for place in rng.permutation(len(lesions))[: len(lesions) // 2]}
        for row in rows.tolist():
            (first if side.lesions[row] in kept else second).append(row)
    return side.only(np.array(first, dtype=np.int64)), side.only(np.array(rng.permutation(second), dtype=np.int64))


def _matched(synthetic: Side, real: Side, rng: np.random.Generator) -> tuple[Side, Side]:
    """Choose equally many of each class from either side; everything where classes are unknown or none is shared."""
    rows: tuple[list[Labels], list[Labels]] = ([], [])
    for code in CLASS_CODES:
        both = [rng.permutation(side.of(code)) for side in (synthetic, real)]
        for kept, some in zip(rows, both, strict=True):
            kept.append(some[: min(map(len, both))])
    chosen = [np.concatenate(parts) for parts in rows]
    if not len(chosen[0]):
        return synthetic, real
    return synthetic.only(chosen[0]), real.only(chosen[1])


def verdict(by_space: Mapping[str, Comparison]) -> tuple[Level, Message]:
    """Return what the comparison over all classes says, the space that knows lesions first.

    Only what both spaces say is taken for good; what the first finds to be something else is bad.
    """
    first = next(iter(by_space.values()))
    levels = [comparison.level for comparison in by_space.values()]
    if first.level == "unknown":
        return "unknown", Message(
            "{n} synthetic and {m} real images are too few to measure how similar they are.",
            n=first.n_synthetic, m=first.n_real,
        )  # fmt: skip
    numbers = _numbers(first)
    if first.level == "bad":
        return "bad", Message("{numbers} The set does not look like the real photographs.", numbers=numbers)
    if first.level == "good" and "bad" in levels:
        return "doubt", Message("{numbers} The two feature spaces do not agree.", numbers=numbers)
    if all(level == "good" for level in levels):
        return "good", Message("{numbers} No difference from real photographs was found.", numbers=numbers)
    return "doubt", Message("{numbers} The set is distinguishable from real photographs.", numbers=numbers)


def _numbers(found: Comparison) -> Message:
    assert found.kid is not None
    assert found.kid_floor is not None
    return Message(

            "Kernel distance {value:.3f} (95 % CI {low:.3f} to {high:.3f}, n = {count}); two disjoint sets "
            "of real lesions: {floor:.3f} ({floor_low:.3f} to {floor_high:.3f}); lower is better.",
        value=found.kid.value, low=found.kid.low, high=found.kid.high, count=count_in_words(found.kid.n_a),
        floor=found.kid_floor.value, floor_low=found.kid_floor.low, floor_high=found.kid_floor.high,
    )  # fmt: skip
