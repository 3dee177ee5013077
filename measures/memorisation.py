"""Does a generator hand out its training images? Each sample's nearest training image, judged against real photographs.

After Carlini et al. (2023, arXiv:2301.13188): what gives a copy away is not that a training image is near, but that one
is far nearer than all others. The threshold is calibrated on photographs of held-out lesions, which cannot have
been copied: the threshold is where 1 % of them would be flagged. So a generator that copies nothing has about 1 % of
its samples flagged too, and what counts is the excess over that.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from core.errors import InputRefusedError
from core.message import Message
from measures.features import PIXELS, Extractor, Floats, Images
from measures.memorisation_support import SetLevel, Share, control_of, search_siblings, set_level
from measures.neighbours import Nearest, all_views, nearest

FALSE_ALARM: Final = 0.01
"""Share of held-out photographs that the threshold flags."""

_BESIDE: Final = frozenset({"pairs", "control", "set_level"})

EXACT: Final = 1e-3
"""Relative distance below which an image is a training image: what rounding leaves of zero."""

MIN_TRAINING: Final = 10
"""With fewer training images there are no surroundings to be suspiciously near in."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A sample and the training image nearest to it; indices into the arrays that were judged.

    Attributes
    ----------
    held_out
        Index of the nearest held-out photograph, for comparison.
    space
        Features in which the sample looks most like a copy.
    relative_distance
        Distance to the training image over the mean distance to the 50 nearest, in that space.
    score
        The relative distance in units of that of the most suspicious 1 % of the held-out photographs.
    """

    sample: int
    train: int
    held_out: int
    space: str
    relative_distance: float
    score: float
    flagged: bool


@dataclass(frozen=True, slots=True)
class Memorisation:
    """How many samples are copies.

    Attributes
    ----------
    excess, low, high
        Share of flagged samples minus the share that is flagged without any copy; its 95 % interval (Newcombe 1998,
        method 10: it counts in that the threshold itself comes from `held_out` photographs).
    flagged, n
        Flagged samples, and samples.
    expected
        Share that is flagged without any copy: 1 %, or more where fewer than 100 photographs are held out.
    threshold
        A sample is flagged if its score is below this.
    spaces
        Names of the features that were looked at.
    pairs
        One for every sample, the most suspicious first.
    left_out
        Photographs that were named as held out, and are training images: they say nothing about what is near by chance.
    control
        Share of held-out lesions whose other photograph is found when it is put among the training images; None where
        none has another one.
    set_level
        Numbers of the whole set by space; empty, as is the control, where lesions are not told.
    """

    excess: float
    low: float
    high: float
    flagged: int
    n: int
    expected: float
    threshold: float
    train: int
    held_out: int
    spaces: tuple[str, ...]
    pairs: tuple[Pair, ...]
    left_out: int = 0
    control: Share | None = None
    set_level: Mapping[str, SetLevel] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the numbers without the pairs."""
        plain = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in _BESIDE} | {
            "spaces": list(self.spaces)
        }
        if not self.set_level:
            return plain
        levels = {name: asdict(found) for name, found in self.set_level.items()}
        return plain | {"control": self.control and asdict(self.control), "set_level": levels}


def judge_memorisation(
    samples: Images,
    train: Images,
    held_out: Images,
    extractor: Extractor | None = None,
    lesions: Sequence[Hashable] = (),
) -> Memorisation:
    """Look for copies of training images among samples.

    Every image is compared in all eight turned and mirrored views, because training shows them all.

    Parameters
    ----------
    samples, train, held_out
        uint8 (N, 3, S, S). `train` is what the generator was trained on; `held_out` shows other lesions.
    extractor
        Features to look at besides pixels at 32 x 32; None for pixels alone.
    lesions
        What each held-out photograph shows, for the control and for the numbers of the whole set.

    Raises
    ------
    InputRefusedError
        If there is no sample, no held-out photograph that is not in training, or fewer than 10 training images.
    """
    _check(len(samples), len(train), len(held_out))
    rows = _not_in_training(held_out, train)
    _check(len(samples), len(train), len(rows))
    found = _judge(samples, train, held_out[rows], extractor, [lesions[row] for row in rows] if lesions else ())
    pairs = tuple(replace(pair, held_out=int(rows[pair.held_out])) for pair in found.pairs)
    return replace(found, pairs=pairs, left_out=len(held_out) - len(rows))


def _not_in_training(held_out: Images, train: Images) -> NDArray[np.int64]:
    """Return the rows of the photographs that are no training image, turned or mirrored: at a distance of zero they
    would make the threshold zero, and no copy could be below."""
    return np.flatnonzero(nearest(all_views(held_out, PIXELS), PIXELS(train)).relative > EXACT)


def _judge(
    samples: Images, train: Images, held_out: Images, extractor: Extractor | None, lesions: Sequence[Hashable]
) -> Memorisation:
    extractors = [PIXELS] if extractor is None or extractor.name == PIXELS.name else [PIXELS, extractor]
    spaces = {space.name: _compare(space, samples, train, held_out, lesions) for space in extractors}
    units = {name: float(np.quantile(found.reference.relative, FALSE_ALARM)) for name, found in spaces.items()}
    scores = _scores({name: found.samples for name, found in spaces.items()}, units)
    references = _scores({name: found.reference for name, found in spaces.items()}, units).min(axis=0)
    # the k-th smallest of n is undercut by a further photograph with probability k / (n + 1)
    threshold = float(np.quantile(references, FALSE_ALARM, method="weibull"))
    found = _summary(_pairs(spaces, scores, threshold), references, threshold, len(train), tuple(spaces))
    return replace(found, **_support(spaces, units, threshold)) if lesions else found


@dataclass(frozen=True, eq=False)
class _Space:
    """Nearest training images of samples and held-out photographs, and the samples' nearest held-out photographs."""

    samples: Nearest
    reference: Nearest
    held_out: NDArray[np.int64]
    siblings: Floats | None = None
    level: SetLevel | None = None


def _compare(
    extractor: Extractor, samples: Images, train: Images, held_out: Images, lesions: Sequence[Hashable]
) -> _Space:
    training = extractor(train)
    seen, others = all_views(samples, extractor), all_views(held_out, extractor)
    found = _Space(nearest(seen, training), nearest(others, training), nearest(seen, others[0]).index)
    if not lesions:
        return found
    level = set_level(found.samples, found.reference, training, lesions)
    return replace(found, siblings=search_siblings(others, training, lesions), level=level)


def _support(spaces: Mapping[str, _Space], units: Mapping[str, float], threshold: float) -> dict[str, Any]:
    siblings = {name: found.siblings for name, found in spaces.items() if found.siblings is not None}
    levels = {name: found.level for name, found in spaces.items() if found.level is not None}
    return {"control": control_of(siblings, units, threshold), "set_level": levels}


def _scores(found: Mapping[str, Nearest], units: Mapping[str, float]) -> Floats:
    """Return relative distances in units of the suspicious, shape (spaces, N)."""
    return np.stack([near.relative / max(units[name], np.finfo(float).tiny) for name, near in found.items()])


def _pairs(spaces: Mapping[str, _Space], scores: Floats, threshold: float) -> tuple[Pair, ...]:
    names = list(spaces)
    order = np.argsort(scores.min(axis=0), kind="stable")
    return tuple(_pair(spaces, names[int(scores[:, i].argmin())], int(i), scores, threshold) for i in order)


def _pair(spaces: Mapping[str, _Space], name: str, index: int, scores: Floats, threshold: float) -> Pair:
    found, score = spaces[name], float(scores[:, index].min())
    return Pair(
        index,
        int(found.samples.index[index]),
        int(found.held_out[index]),
        name,
        float(found.samples.relative[index]),
        score,
        score < threshold,
    )


def _summary(
    pairs: tuple[Pair, ...], references: Floats, threshold: float, train: int, spaces: tuple[str, ...]
) -> Memorisation:
    flagged, alarms = sum(pair.flagged for pair in pairs), int((references < threshold).sum())
    n, held_out = len(pairs), len(references)
    expected = max(FALSE_ALARM, 1 / (held_out + 1))
    excess = flagged / n - expected
    below, above = margins((flagged, n), (alarms, held_out))
    return Memorisation(
        excess, excess - below, excess + above, flagged, n, expected, threshold, train, held_out, spaces, pairs
    )


def margins(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float]:
    """Return how far the 95 % interval of a difference of two shares (hits, trials) reaches below and above it."""
    share, other = first[0] / first[1], second[0] / second[1]
    (low, high), (other_low, other_high) = (binomtest(*pair).proportion_ci(method="wilson") for pair in (first, second))
    return float(np.hypot(share - low, other_high - other)), float(np.hypot(high - share, other - other_low))


def _check(samples: int, train: int, held_out: int) -> None:
    if samples and held_out and train >= MIN_TRAINING:
        return
    raise InputRefusedError(
        Message(
            "Copy detection is not possible with {samples} samples, {train} training images and "
            "{held_out} held-out images.",
            samples=samples,
            train=train,
            held_out=held_out,
        ),
        remedy=Message(
            "There must be a sample, a held-out photograph and at least {min_training} training images.",
            min_training=MIN_TRAINING,
        ),
    )
