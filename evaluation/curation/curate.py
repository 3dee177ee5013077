"""Curation of a synthetic set: measure, decide, and write down what was decided and why.

Curation chooses, and whoever chooses can cheat: rules that look at the test set make every later number too good. Here
nothing but the synthetic images, the training photographs, photographs held out of them, and a classifier is looked at.
If that classifier has learnt from the test lesions, its choice knows them; `Curation.notes` says so where it may be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.errors import InputRefusedError, UsageError
from core.files.atomic import output_errors
from core.files.opening import sha256_of
from core.files.text import finite_json
from core.jobs.stream import JobContext
from core.keeping import replace_kept_text
from core.message import Message
from core.models.classification.loading import LoadedNetwork, load_network
from core.taxonomy import CLASS_CODES
from core.version import __version__
from dataset.curation import CURATION_FILE, Decision, render_curation
from evaluation.counted import counted, in_all_views
from evaluation.curation.decide import Decided, Evidence, decide
from evaluation.curation.evidence import NEAR_DUPLICATE, Pixels, measure_copies, measure_fidelity, measure_twins
from evaluation.curation.rules import CurationRules
from evaluation.sets import ImageSet
from measures.features import PIXELS, default_curator, extractor_of, is_judge

FORMAT: Final = 1
SUMMARY_FILE: Final = "curation.json"
SIDE: Final = 128
"""Side of the squares that are compared, in pixels; smaller where the images are."""


@dataclass(frozen=True, eq=False)
class Curation:
    """A set, and what was decided about each of its images.

    Attributes
    ----------
    kept
        The images that the rules leave in.
    decisions
        One for every file of the set, unreadable ones last.
    notes
        What a person should know, one sentence each.
    """

    images: ImageSet
    kept: ImageSet
    rules: CurationRules
    decisions: tuple[Decision, ...]
    evaluator: str
    notes: tuple[Message, ...]

    @property
    def sentence(self) -> Message:
        """What happened, in one sentence."""
        rules = Counter(decision.rule for decision in self.decisions if not decision.kept)
        reasons = ", ".join(f"{rule} {count}" for rule, count in rules.most_common())
        facts = {"kept": len(self.kept), "total": len(self.decisions), "rules": str(self.rules)}
        if not reasons:
            return Message("All {total} images are kept by the rules {rules}.", **facts)
        return Message(
            "{kept} of {total} images are kept by the rules {rules}; excluded: {reasons}.", reasons=reasons, **facts
        )

    def to_json(self) -> dict[str, Any]:
        """Return the numbers without the single decisions."""
        left_out = [decision for decision in self.decisions if not decision.kept]
        return {
            "format": FORMAT,
            "product_version": __version__,
            "set": {"name": self.images.name, "folder": self.images.folder.name},
            "rules": str(self.rules),
            "evaluator": self.evaluator,
            "near_duplicate": NEAR_DUPLICATE,
            "images": len(self.decisions),
            "kept": len(self.kept),
            "left_out": dict(Counter(decision.rule for decision in left_out)),
            "classes": {
                code: {"images": count, "kept": self.kept.counts.get(code, 0)}
                for code, count in self.images.counts.items()
            },
            "notes": [str(note) for note in self.notes],
            "sentence": str(self.sentence),
        }

    def save(self, folder: Path) -> Path:
        """Write `curation.csv` and `curation.json` into a folder and return the path of the first.

        Raises
        ------
        OutputError, DiskFullError
            If that is not possible.
        """
        path = folder / CURATION_FILE
        with output_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            replace_kept_text(folder / SUMMARY_FILE, finite_json(self.to_json()))
            replace_kept_text(path, render_curation(self.decisions))
        return path


def curate(
    images: ImageSet,
    rules: CurationRules,
    *,
    train: ImageSet | None = None,
    held_out: ImageSet | None = None,
    network: LoadedNetwork | None = None,
    context: JobContext | None = None,
) -> Curation:
    """Decide which images of a set are kept.

    Parameters
    ----------
    images
        With classes.
    train, held_out
        The photographs that the generator has learnt from, and others of lesions that it has not seen: needed to tell
        copies. What is measured without being a rule is written down too, and counts for the rank.
    network
        The classifier that decides; the auxiliary starter classifier if None, which judges nothing afterwards.

    Raises
    ------
    UsageError
        If the rules ask for copies without photographs, or for fidelity without a classifier.
    InputRefusedError
        If the images have no classes, or there are too few photographs to tell copies.
    """
    _check(images, rules, train, held_out)
    network = network or _default_network(rules)
    context = context or JobContext()
    context.progress(0, 1, Message("Reading the images"))
    pixels = images.pixels(min(SIDE, images.side or SIDE))
    evidence = _measure(images, pixels, train, held_out, network, context)
    decided = decide(evidence, rules)
    kept = images.only([row for row, verdict in enumerate(decided.verdicts) if not verdict.rule])
    decisions = (*_decisions(images, evidence, decided), *_unreadable(images))
    evaluator = "" if network is None else _name(network)
    return Curation(images, kept, rules, decisions, evaluator, tuple(_notes(images, kept, evidence, network)))


def _check(images: ImageSet, rules: CurationRules, train: ImageSet | None, held_out: ImageSet | None) -> None:
    if len(images.counts) == 0 or any(image.code is None for image in images.images):
        raise InputRefusedError(
            Message("The classes of the images in {path} are unknown.", path=images.folder),
            remedy=Message("Put them into folders named after the classes ({codes}).", codes=", ".join(CLASS_CODES)),
            path=images.folder,
        )
    if rules.copies and not (train and held_out):
        raise UsageError(
            Message(
                "Copy detection needs training photographs (--train) and held-out photographs (--real, "
                "or --train split by lesion)."
            ),
            remedy=Message("Name them with --train (and --real), or remove the rule copies."),
        )


def _default_network(rules: CurationRules) -> LoadedNetwork | None:
    path = default_curator()
    if path is None and rules.fidelity is not None:
        raise UsageError(
            Message("There is no classifier to evaluate class fidelity."),
            remedy=Message("Name one with --classifier, or remove the rule fidelity."),
        )
    return None if path is None else load_network(path)


def _measure(
    images: ImageSet,
    pixels: Pixels,
    train: ImageSet | None,
    held_out: ImageSet | None,
    network: LoadedNetwork | None,
    context: JobContext,
) -> Evidence:
    labels = images.labels
    context.part(0.1, 0.1).progress(0, 1, Message("Classifying the images"))
    fidelity = None if network is None else measure_fidelity(network, pixels, labels)
    looking, copies = context.part(0.2, 0.7, Message("Looking for copies")), None
    looking.progress(0, 1)
    if train and held_out:
        extractor = PIXELS if network is None else extractor_of(network)
        seen = len(train) + in_all_views(len(images), len(held_out))
        copies = measure_copies(pixels, train, held_out, counted(extractor, seen, looking))
    context.part(0.9, 0.1).progress(0, 1, Message("Comparing the images"))
    twins = measure_twins(pixels)
    context.part(1.0, 0.0).progress(0, 1, Message("Writing the decisions"))
    return Evidence([image.name for image in images.images], labels, fidelity, copies, twins)


def _decisions(images: ImageSet, evidence: Evidence, decided: Decided) -> Iterator[Decision]:
    fidelity, copies, twins = evidence.fidelity, evidence.copies, evidence.twins
    alone = len(images) == 1
    for row, (image, verdict) in enumerate(zip(images.images, decided.verdicts, strict=True)):
        yield Decision(
            image=image.name,
            sha256=sha256_of(image.path),
            code=str(image.code),
            kept=not verdict.rule,
            rule=verdict.rule,
            reason=verdict.reason,
            fidelity=None if fidelity is None else _finite(fidelity.probability[row]),
            seen_as="" if fidelity is None else CLASS_CODES[fidelity.seen[row]],
            copy_score=None if copies is None else float(copies.score[row]),
            nearest_train="" if copies is None else copies.training[row],
            duplicate_of="" if alone or twins is None else evidence.names[twins.nearest[row]],
            duplicate_distance=None if twins is None else _finite(twins.distance[row]),
            quality=float(decided.quality[row]),
            rank=int(decided.rank[row]),
        )


def _unreadable(images: ImageSet) -> Iterator[Decision]:
    for path, reason in images.unreadable:
        name = path.relative_to(images.folder).as_posix() if path.is_relative_to(images.folder) else path.as_posix()
        yield Decision(name, "", "", False, "unreadable", reason)


def _notes(images: ImageSet, kept: ImageSet, evidence: Evidence, network: LoadedNetwork | None) -> Iterator[Message]:
    lost = [code for code in images.counts if code not in kept.counts]
    if lost:
        yield Message("No image of {codes} is kept.", codes=", ".join(lost))
    if network is not None:
        yield Message(
            "The classifier {name} was used for this curation: if it was trained on test lesions, "
            "later results on them are too optimistic.",
            name=_name(network),
        )
    if network is not None and is_judge(network.path if network.path.is_dir() else network.path.parent):
        yield Message(
            "This classifier also judges sets in `evaluate`: of the images that it has kept it is no independent judge."
        )
    if evidence.fidelity is not None and (unknown := int(np.isnan(evidence.fidelity.probability).sum())):
        yield Message("Not evaluated by the classifier, as it has no such class: %n image(s).", n=unknown)
    if evidence.copies is None:
        yield Message("Copy detection was skipped: no training photographs were given.")


def _name(network: LoadedNetwork) -> str:
    return f"{network.architecture.key}@{network.sha256[:8]}"


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
