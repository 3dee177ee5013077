"""Does a set show many different lesions, or the same few again and again?

- Exact copies: images of the whole set whose pixels another one has, too; they need no threshold.
- Near-duplicates: images whose nearest other image of the set is clearly nearer (by a quarter) than those of 99 % of
  real photographs of different lesions, in pixels or in features, turned and mirrored.
- Vendi score (Friedman and Dieng 2023, arXiv:2210.02410): the effective number of different images.

Both depend on how many images there are, so real photographs are taken in the same number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from core.jobs.stream import JobContext
from core.message import Message
from evaluation.counted import counted, in_all_views
from evaluation.finding import Finding, worst
from evaluation.sets import ImageSet
from measures.duplicates import FEWEST as FEWEST_PHOTOGRAPHS
from measures.duplicates import NearDuplicates, between, near_duplicates
from measures.features import PIXELS, Extractor
from measures.neighbours import all_views
from reports.model import Block, Level, Paragraph, Table

KEY: Final = "diversity"
TITLE: Final = Message("Diversity")
SIDE: Final = 128
FEWEST: Final = 10
MOST: Final = 1000
SHOWN: Final = 10
MANY_COPIES: Final = 0.05
"""From this share of exact copies on a set is not to be used; fewer are a fault all the same."""

POOR: Final = 0.5
"""Below this share of the real photographs' Vendi score a set repeats itself."""

Floats = NDArray[np.float64]


def diversity(
    synthetic: ImageSet, real: ImageSet, extractor: Extractor, seed: int = 0, context: JobContext | None = None
) -> Finding:
    """Compare how different the images of a set are with how different real photographs are.

    At most 1,000 images of either side are taken, the same number, real ones of different lesions.

    Parameters
    ----------
    context
        Told how many pictures the extractor has seen, and of how many.
    """
    copied = synthetic.are_exact_copies
    rows, real_rows = _draw(synthetic, real, np.random.default_rng(seed))
    if len(rows) < FEWEST:
        return _too_few(copied, len(rows))
    sides = [synthetic.only(rows).pixels(SIDE), real.only(real_rows).pixels(SIDE)]
    told = counted(extractor, in_all_views(len(rows), len(rows)), context or JobContext())
    spaces = [told] if extractor.name == PIXELS.name else [PIXELS, told]
    views = {space.name: [all_views(side, space) for side in sides] for space in spaces}
    near = [[between(side) for side in both] for both in views.values()]
    found = near_duplicates([own for own, _ in near], [other for _, other in near])
    features = [side[0] for side in views[told.name]]
    middle = features[1].mean(axis=0)  # what all photographs have in common makes nothing alike
    vendi = [vendi_score(side - middle) for side in features]
    names = [synthetic.images[row].name for row in rows]
    flagged = found.flagged | copied[rows]
    shown = [(names[i], names[found.partners[i]]) for i in found.scores.argsort(kind="stable") if flagged[i]][:SHOWN]
    return _section(_Found(flagged, copied, vendi, spaces[-1].name, shown, found))


def vendi_score(features: Floats) -> float:
    """Return the exponential of the entropy of the eigenvalues of the images' cosine similarities over n, 1..n."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.where(lengths > 0, lengths, 1)
    values = np.linalg.eigvalsh(unit @ unit.T / len(unit))
    positive = values[values > 1e-12]
    return float(np.exp(-(positive * np.log(positive)).sum()))


def _draw(synthetic: ImageSet, real: ImageSet, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Return equally many rows of either side, the real ones of different lesions and no exact copies."""
    lesions: dict[str, int] = {}
    seen: set[str] = set()
    for row in rng.permutation(len(real)).tolist():
        image = real.images[row]
        if image.lesion not in lesions and image.content not in seen:
            lesions[image.lesion] = row
            seen.add(image.content)
    count = min(len(synthetic), len(lesions), MOST)
    return sorted(rng.permutation(len(synthetic))[:count].tolist()), sorted(lesions.values())[:count]


@dataclass(frozen=True, eq=False)
class _Found:
    """What was found: flags of the images looked at, exact copies of all, both Vendi scores and pairs to show."""

    flagged: NDArray[np.bool_]
    copied: NDArray[np.bool_]
    vendi: Sequence[float]
    space: str
    shown: Sequence[tuple[str, str]]
    near: NearDuplicates


def _too_few(copied: NDArray[np.bool_], n: int) -> Finding:
    """Say what needs no photographs to compare with."""
    words = Message("Diversity needs at least {least} images on either side.", least=FEWEST)
    data = {"n": n, "exact_copies": int(copied.sum())}
    if not copied.any():
        return Finding(KEY, TITLE, "unknown", words, data=data)
    return Finding(
        KEY, TITLE, _of_copies(copied), Message("{first} {second}", first=_copies(copied), second=words), data=data
    )


def _copies(copied: NDArray[np.bool_]) -> Message:
    return Message("{n} of {total} images are exact copies of one another.", n=int(copied.sum()), total=len(copied))


def _of_copies(copied: NDArray[np.bool_]) -> Level:
    if not copied.any():
        return "good"
    return "bad" if copied.mean() > MANY_COPIES else "doubt"


def _level(found: _Found) -> Level:
    n, expected = len(found.flagged), found.near.expected
    low = binomtest(int(found.flagged.sum()), n).proportion_ci(method="wilson").low
    ratio = found.vendi[0] / found.vendi[1]
    level: Level = "good"
    if low > expected or ratio < POOR:
        level = "bad" if low > 5 * expected or ratio < POOR / 2 else "doubt"
    return worst([level, _of_copies(found.copied)])


def _section(found: _Found) -> Finding:
    flagged, n, expected = int(found.flagged.sum()), len(found.flagged), found.near.expected
    low, high = binomtest(flagged, n).proportion_ci(method="wilson")
    verdict = Message(

            "{flagged} of {n} images have a near-duplicate in the set ({share:.1%}, 95 % CI {low:.1%} "
            "to {high:.1%}; real photographs: at most about {expected:.1%}). The set is as varied as "
            "{vendi:.1f} distinct images; the same number of real photographs, as {real:.1f}.",
        flagged=flagged, n=n, share=flagged / n, low=low, high=high, expected=expected, vendi=found.vendi[0],
        real=found.vendi[1],
    )  # fmt: skip
    if found.copied.any():
        verdict = Message("{first} {second}", first=_copies(found.copied), second=verdict)
    about = Message(
        "Vendi score in {space}; near-duplicates also in pixels, in eight rotations and reflections.", space=found.space
    )
    parts: list[Block] = [Paragraph(about, "muted")]
    if found.near.photographs < FEWEST_PHOTOGRAPHS:
        few = Message(
            "Only {n} different photographs: too few for a threshold, so only exact copies count.",
            n=found.near.photographs,
        )
        parts.append(Paragraph(few, "muted"))
    if found.shown:
        parts.append(
            Table(
                ("image", "near-duplicate"),
                found.shown,
                Message("Near-duplicates"),
                words=frozenset({0, 1}),
                folded=True,
            )
        )
    data = {
        "n": n,
        "duplicates": flagged,
        "share": flagged / n,
        "low": float(low),
        "high": float(high),
        "expected": expected,
        "exact_copies": int(found.copied.sum()),
        "threshold": found.near.threshold,
        "photographs": found.near.photographs,
        "vendi": found.vendi[0],
        "vendi_real": found.vendi[1],
        "space": found.space,
        "pairs": [list(pair) for pair in found.shown],
    }
    return Finding(KEY, TITLE, _level(found), verdict, parts, data)
