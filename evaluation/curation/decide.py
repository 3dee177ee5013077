"""From measurements to decisions: which images the rules leave out, each with its reason. Nothing is measured here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from core.message import Message
from core.taxonomy import CLASS_CODES
from evaluation.curation.evidence import NEAR_DUPLICATE, Copies, Fidelity, Twins
from evaluation.curation.rules import CurationRules

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_T = TypeVar("_T")

SUSPICIOUS: Final = 1.0
"""Copy score from which on an image is no nearer to training images than unseen photographs are."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of the images of a set; None for what was not measured.

    Attributes
    ----------
    names
        Of the images, in order.
    labels
        Class that each was asked for, (N,), canonical order.
    """

    names: Sequence[str]
    labels: Indices
    fidelity: Fidelity | None = None
    copies: Copies | None = None
    twins: Twins | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why an image is left out: the rule, and the reason in words; both "" for a kept one."""

    rule: str = ""
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Decided:
    """The decisions.

    Attributes
    ----------
    verdicts
        Of each image.
    quality
        See `qualities`.
    rank
        Place by quality within the class, from 1, (N,).
    """

    verdicts: tuple[Verdict, ...]
    quality: Floats
    rank: Indices


def decide(evidence: Evidence, rules: CurationRules) -> Decided:
    """Apply the rules in this order: copies, fidelity, duplicates among what is left, the best of what is left.

    Raises
    ------
    ValueError
        If a rule needs what was not measured.
    """
    quality = qualities(evidence)
    rank = _ranks(quality, evidence.labels)
    verdicts = [Verdict()] * len(evidence.names)
    for step in (_copies, _fidelity, _duplicates, _best):
        for image, verdict in step(evidence, rules, rank, verdicts):
            verdicts[image] = verdict
    return Decided(tuple(verdicts), quality, rank)


def qualities(evidence: Evidence) -> Floats:
    """Return the mean of each image's percentile ranks within its class, 0..1, higher is better.

    By fidelity, by nearness to a training image, and by nearness to another image of the set: as many of them as were
    measured; 0.5 where none was. The last two count only where they are suspicious, and all others are equal: to be far
    from every photograph is no merit.
    """
    ranks = [_within_class(values, evidence.labels) for values in _measured(evidence)]
    return np.mean(ranks, axis=0) if ranks else np.full(len(evidence.labels), 0.5)


def _measured(evidence: Evidence) -> Iterator[Floats]:
    if evidence.fidelity is not None:
        yield np.nan_to_num(evidence.fidelity.probability, nan=-1.0)
    if evidence.copies is not None:
        yield np.minimum(evidence.copies.score, SUSPICIOUS)
    if evidence.twins is not None:
        yield np.minimum(evidence.twins.distance, NEAR_DUPLICATE)


def _within_class(values: Floats, labels: Indices) -> Floats:
    """Return percentile ranks within the class, 0..1; 0.5 for an image that is alone."""
    ranks = np.full(len(values), 0.5)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if len(rows) > 1:
            ranks[rows] = (rankdata(values[rows]) - 1) / (len(rows) - 1)
    return ranks


def _ranks(quality: Floats, labels: Indices) -> Indices:
    """Return places within the class by quality, from 1; equal ones in the order of the set."""
    rank = np.zeros(len(quality), dtype=np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        rank[rows[np.argsort(-quality[rows], kind="stable")]] = np.arange(1, len(rows) + 1)
    return rank


Found = list[tuple[int, Verdict]]


def _copies(evidence: Evidence, rules: CurationRules, rank: Indices, verdicts: Sequence[Verdict]) -> Found:
    if not rules.copies:
        return []
    copies = _needed(evidence.copies, "copies")
    return [(image, Verdict("copies", _copied(copies, image))) for image in np.flatnonzero(copies.flagged).tolist()]


def _copied(copies: Copies, image: int) -> Message:
    return Message(
        "More similar to the training image {name} than 99 % of held-out photographs are to any (score {score:.2f}).",
        name=copies.training[image],
        score=float(copies.score[image]),
    )


def _fidelity(evidence: Evidence, rules: CurationRules, rank: Indices, verdicts: Sequence[Verdict]) -> Found:
    if rules.fidelity is None:
        return []
    fidelity = _needed(evidence.fidelity, "fidelity")
    # a class that the classifier does not know has no probability, and nobody may hold that against an image
    low = np.flatnonzero(fidelity.probability < rules.fidelity).tolist()
    return [
        (image, Verdict("fidelity", _seen(evidence, fidelity, image, rules.fidelity)))
        for image in low
        if not verdicts[image].rule
    ]


def _seen(evidence: Evidence, fidelity: Fidelity, image: int, least: float) -> Message:
    return Message(
        "Target class {code}, predicted class {seen}: the target class has a probability of "
        "{value:.3f}, below {least:g}.",
        code=CLASS_CODES[evidence.labels[image]],
        seen=CLASS_CODES[fidelity.seen[image]],
        value=float(fidelity.probability[image]),
        least=least,
    )


def _duplicates(evidence: Evidence, rules: CurationRules, rank: Indices, verdicts: Sequence[Verdict]) -> Found:
    """Keep the best-ranked of images that are nearly the same, and whatever is near none that is kept."""
    if not rules.duplicates:
        return []
    near: dict[int, list[int]] = {}
    for one, other in _needed(evidence.twins, "duplicates").pairs.tolist():
        near.setdefault(one, []).append(other)
        near.setdefault(other, []).append(one)
    kept: set[int] = set()
    found: Found = []
    for image in sorted(near, key=lambda row: (rank[row], row)):
        if verdicts[image].rule:
            continue
        twin = next((other for other in near[image] if other in kept), None)
        if twin is None:
            kept.add(image)
        else:
            reason = Message("Near-duplicate of {name}, which is kept.", name=evidence.names[twin])
            found.append((image, Verdict("duplicates", reason)))
    return found


def _best(evidence: Evidence, rules: CurationRules, rank: Indices, verdicts: Sequence[Verdict]) -> Found:
    if rules.best_share is None and rules.best_count is None:
        return []
    found: Found = []
    for label in np.unique(evidence.labels):
        rows = np.flatnonzero(evidence.labels == label).tolist()
        left = sorted((row for row in rows if not verdicts[row].rule), key=lambda row: rank[row])
        places = rules.places(len(rows))
        reason = Message("Not among the best {places} of its class.", places=places)
        found += [(row, Verdict("best", reason)) for row in left[places:]]
    return found


def _needed(value: _T | None, rule: str) -> _T:
    if value is None:
        raise ValueError(f"the rule {rule} needs what was not measured")
    return value
