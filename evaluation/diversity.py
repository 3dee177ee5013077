"""Does a set show many different lesions, or the same few again and again?

- Near-duplicates: images whose nearest other image of the set is clearly nearer (by a quarter) than those of 99 % of
  real photographs of different lesions, in pixels or in features, turned and mirrored.
- Vendi score (Friedman and Dieng 2023, arXiv:2210.02410): the effective number of different images.

Both depend on how many images there are, so real photographs are taken in the same number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from core.jobs.stream import JobContext
from core.message import Message
from evaluation.counted import counted, in_all_views
from evaluation.finding import Finding
from evaluation.sets import ImageSet
from measures.features import PIXELS, Extractor
from measures.memorisation import FALSE_ALARM
from measures.neighbours import all_views, distances
from reports.model import Block, Level, Paragraph, Table

KEY: Final = "diversity"
SIDE: Final = 128
FEWEST: Final = 10
MOST: Final = 1000
SHOWN: Final = 10
MARGIN: Final = 0.75
"""Of the distance that 99 % of real photographs keep: its estimate from a few dozen of them is a matter of luck."""

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
    title = Message("Diversity")
    rows, real_rows = _draw(synthetic, real, np.random.default_rng(seed))
    if len(rows) < FEWEST:
        words = Message("Diversity needs at least {least} images on either side.", least=FEWEST)
        return Finding(KEY, title, "unknown", words, data={"n": len(rows)})
    sides = [synthetic.only(rows).pixels(SIDE), real.only(real_rows).pixels(SIDE)]
    told = counted(extractor, in_all_views(len(rows), len(rows)), context or JobContext())
    spaces = [told] if extractor.name == PIXELS.name else [PIXELS, told]
    views = {space.name: [all_views(side, space) for side in sides] for space in spaces}
    near = {name: [_between(side) for side in both] for name, both in views.items()}
    scores, partners, threshold = near_duplicates(
        [own for own, _ in near.values()], [other for _, other in near.values()]
    )
    features = [side[0] for side in views[told.name]]
    middle = features[1].mean(axis=0)  # what all photographs have in common makes nothing alike
    vendi = [vendi_score(side - middle) for side in features]
    names = [synthetic.images[row].name for row in rows]
    flagged = int((scores < threshold).sum())
    worst = [(names[i], names[partners[i]]) for i in scores.argsort(kind="stable")[: min(flagged, SHOWN)]]
    return _section(title, flagged, len(rows), vendi, spaces[-1].name, worst, threshold)


def vendi_score(features: Floats) -> float:
    """Return the exponential of the entropy of the eigenvalues of the images' cosine similarities over n, 1..n."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.where(lengths > 0, lengths, 1)
    values = np.linalg.eigvalsh(unit @ unit.T / len(unit))
    positive = values[values > 1e-12]
    return float(np.exp(-(positive * np.log(positive)).sum()))


def _draw(synthetic: ImageSet, real: ImageSet, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Return equally many rows of either side, the real ones of different lesions."""
    lesions: dict[str, int] = {}
    for row in rng.permutation(len(real)):
        lesions.setdefault(real.images[row].lesion, int(row))
    count = min(len(synthetic), len(lesions), MOST)
    return sorted(rng.permutation(len(synthetic))[:count].tolist()), sorted(lesions.values())[:count]


def _between(views: Floats) -> Floats:
    """Return the distance of each image to each other one, (n, n), to itself infinite."""
    found = distances(views, views[0])
    found = np.minimum(found, found.T)
    np.fill_diagonal(found, np.inf)
    return found


def near_duplicates(synthetic: Sequence[Floats], real: Sequence[Floats]) -> tuple[Floats, NDArray[np.int64], float]:
    """Return how far each image's nearest other one is, which it is, and the score below which it is a duplicate.

    Parameters
    ----------
    synthetic, real
        Distances between all images of the set, and between all photographs, in each space: (n, n), to itself infinite.
    """
    units = [max(float(np.quantile(space.min(axis=1), FALSE_ALARM)), np.finfo(float).tiny) for space in real]
    scores = np.min([space / unit for space, unit in zip(synthetic, units, strict=True)], axis=0)
    reference = np.min([(space / unit).min(axis=1) for space, unit in zip(real, units, strict=True)], axis=0)
    threshold = MARGIN * float(np.quantile(reference, FALSE_ALARM, method="weibull"))
    return scores.min(axis=1), scores.argmin(axis=1), threshold


def _section(
    title: Message,
    flagged: int,
    n: int,
    vendi: Sequence[float],
    space: str,
    worst: Sequence[tuple[str, str]],
    threshold: float,
) -> Finding:
    expected = max(FALSE_ALARM, 1 / (n + 1))
    low, high = binomtest(flagged, n).proportion_ci(method="wilson")
    ratio = vendi[0] / vendi[1]
    level: Level = "good"
    if low > expected or ratio < POOR:
        level = "bad" if low > 5 * expected or ratio < POOR / 2 else "doubt"
    verdict = Message(

            "{flagged} of {n} images have a near-duplicate in the set ({share:.1%}, 95 % CI {low:.1%} "
            "to {high:.1%}; real photographs: at most about {expected:.1%}). The set is as varied as "
            "{vendi:.1f} distinct images; the same number of real photographs, as {real:.1f}.",
        flagged=flagged, n=n, share=flagged / n, low=low, high=high, expected=expected, vendi=vendi[0], real=vendi[1],
    )  # fmt: skip
    about = Message(
        "Vendi score in {space}; near-duplicates also in pixels, in eight rotations and reflections.", space=space
    )
    parts: list[Block] = [Paragraph(about, "muted")]
    if worst:
        parts.append(
            Table(("image", "near-duplicate"), worst, Message("Near-duplicates"), words=frozenset({0, 1}), folded=True)
        )
    data = {
        "n": n,
        "duplicates": flagged,
        "share": flagged / n,
        "low": float(low),
        "high": float(high),
        "expected": expected,
        "threshold": threshold,
        "vendi": vendi[0],
        "vendi_real": vendi[1],
        "space": space,
        "pairs": [list(pair) for pair in worst],
    }
    return Finding(KEY, title, level, verdict, parts, data)
