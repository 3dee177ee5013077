"""The two questions one can ask of an image: what does the classifier see, and because of which pixels?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from core.jobs.stream import JobContext
from core.message import Message
from core.models.classification.loading import RECORD_FILE, to_tensor
from core.precision import resolve_device
from core.taxonomy import parse_class
from core.utils.path_manager import PathManager
from xai.attribution import Attribution
from xai.classifier import Classifier, load_classifier
from xai.explanation import Classification, ExplainOptions, Explanation, GateVerdict
from xai.faithfulness import measure_faithfulness
from xai.gate import (
    combine,
    judge_agreement,
    judge_confidence,
    judge_convergence,
    judge_direction,
    judge_picture,
    judge_sampling,
    judge_sanity,
    judge_shift,
    judge_strength,
    judge_target,
    judge_values,
)
from xai.methods import METHODS
from xai.sanity import known_sanity, sanity_of
from xai.subject import Subject, find_mask, read_mask, read_subject
from xai.task import Task

STRENGTH_BASELINE: Final = "skin"
"""The baseline at which a classifier's record gives the usual strength of real images."""


def classify_image(
    image: Path | NDArray[np.uint8], classifier: Path | None = None, device: str = "auto"
) -> Classification:
    """Return the classifier's answer for one image, with the gate's verdict on classifier and answer.

    Parameters
    ----------
    image
        File, or uint8 array of shape (H, W, 3).
    classifier
        Weights file or classifier folder; None for the starter classifier.

    Raises
    ------
    InputRefusedError, ModelRefusedError, DeviceError
    """
    return _classify(read_subject(image), get_classifier(classifier, device))


def explain_image(
    image: Path | NDArray[np.uint8],
    options: ExplainOptions,
    *,
    label: str | None = None,
    context: JobContext | None = None,
) -> list[Explanation]:
    """Explain one image, one `Explanation` for each method asked for; see `explanations`."""
    return list(explanations(image, options, label=label, context=context))


def explanations(
    image: Path | NDArray[np.uint8],
    options: ExplainOptions,
    *,
    label: str | None = None,
    context: JobContext | None = None,
) -> Iterator[Explanation]:
    """Explain one image, and yield each method's `Explanation` as soon as it is there.

    Parameters
    ----------
    image
        File, or uint8 array of shape (H, W, 3); never changed.
    label
        Class code that the image stands for; looked up in its recipe, sidecar or folder name if None.
    context
        Asked before every forward pass of the classifier whether to go on.

    Raises
    ------
    JobStopped
        As soon as that is asked for.
    InputRefusedError, ModelRefusedError, DeviceError, UnknownClassError
    """
    if options.target not in ("label", "predicted"):
        options = replace(options, target=parse_class(options.target))
    subject = read_subject(image, label)
    classifier = get_classifier(options.classifier, options.device)
    question = _ask(subject, classifier, options, context or JobContext())
    for method in options.methods:
        yield _explain(question, method)


def get_classifier(path: Path | None, device: str) -> Classifier:
    """Return a loaded classifier; the last two are kept, and read again once their files change."""
    where = (path or PathManager().starter_classifier_dir).absolute()
    return _cached(where, str(resolve_device(device)), _fingerprint(where))


def clear_cache() -> None:
    """Forget the classifiers that are kept in memory."""
    _cached.cache_clear()


@lru_cache(maxsize=2)
def _cached(path: Path, device: str, _fingerprint: tuple[tuple[str, int, int], ...]) -> Classifier:
    return load_classifier(path, torch.device(device))


def _fingerprint(path: Path) -> tuple[tuple[str, int, int], ...]:
    files = sorted(path.iterdir()) if path.is_dir() else [path, path.with_name(RECORD_FILE)]
    stats = [(file.name, file.stat()) for file in files if file.is_file()]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


def _classify(subject: Subject, classifier: Classifier) -> Classification:
    pixels = to_tensor(subject.image)
    with torch.no_grad():
        logits = classifier.logits(pixels)[0].double().cpu()
    probabilities = dict(zip(classifier.classes, (logits / classifier.temperature).softmax(0).tolist(), strict=True))
    return Classification(
        max(probabilities, key=probabilities.__getitem__),
        probabilities,
        dict(zip(classifier.classes, logits.tolist(), strict=True)),
        classifier.provenance
        if classifier.provenance.level == "red"
        else combine(
            classifier.provenance, judge_confidence(probabilities, subject.label), *_judge_image(subject, classifier)
        ),
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """One image, one classifier, one class: what all methods have in common."""

    subject: Subject
    classifier: Classifier
    options: ExplainOptions
    answer: Classification
    task: Task
    mask: NDArray[np.bool_] | None
    notes: tuple[str, ...]


def _ask(subject: Subject, classifier: Classifier, options: ExplainOptions, context: JobContext) -> _Question:
    answer = _classify(subject, classifier)
    target, why = _choose_target(options.target, subject, answer, classifier)
    quick = classifier.provenance.level == "red"
    task = Task(classifier, subject.image, target, options, quick, context)
    mask, about_mask = _read_mask(options.mask, subject)
    return _Question(subject, classifier, options, answer, task, mask, (why, *about_mask))


def _read_mask(place: Path | None, subject: Subject) -> tuple[NDArray[np.bool_] | None, tuple[str, ...]]:
    """Return the lesion's mask, if there is one, and what there is to say about it."""
    if place is None:
        return None, ()
    path = find_mask(place, subject.source)
    if path is None:
        return None, (Message("There is no mask of this image in {folder}.", folder=place),)
    height, width = subject.image.shape[:2]
    return read_mask(path, subject.size, (height, width)), ()


def _judge_image(subject: Subject, classifier: Classifier) -> Iterator[GateVerdict]:
    yield judge_picture(*subject.size, coloured=bool(np.ptp(subject.image, axis=2).any()))
    yield judge_shift(classifier.distance(to_tensor(subject.image)), classifier.reference)


def _choose_target(
    target: str, subject: Subject, answer: Classification, classifier: Classifier
) -> tuple[str, Message]:
    """Return the class whose logit is explained and, in words, why it is this one."""
    wanted = {"predicted": None, "label": subject.label}.get(target, target)
    own = answer.predicted
    if wanted in classifier.index and target == "label":
        return str(wanted), Message("Explained: {target} ({source}).", target=wanted, source=subject.label_source)
    if wanted in classifier.index:
        return str(wanted), Message("Explained: {target}.", target=wanted)
    if wanted is not None:
        return own, Message(
            "The classifier has no class {wanted}, so the map explains the predicted class, {own}.",
            wanted=wanted, own=own,
        )  # fmt: skip
    if target == "label":
        return own, Message(
            "No label is known for this image, so the map explains the predicted class, {own}.", own=own
        )
    return own, Message("Explained: the predicted class, {own}.", own=own)


def _explain(question: _Question, method: str) -> Explanation:
    start = time.perf_counter()
    found = question.task.attribute(method)
    faithfulness = _measure(found, question) if question.options.faithfulness else None
    return Explanation(
        method=method,
        target=question.task.target,
        baseline=question.options.baseline,
        image=question.subject.image,
        attribution=found.values,
        score=found.score,
        baseline_score=found.baseline_score,
        delta=found.delta,
        relative_delta=found.relative_delta,
        steps=found.steps,
        classification=question.answer,
        gate=_judge(found, question, method),
        classifier_sha256=question.classifier.sha256,
        seconds=time.perf_counter() - start,
        source=question.subject.source,
        notes=(
            *question.notes[:1],
            *_described(found, method),
            *question.notes[1:],
            *question.subject.notes,
            *_untested(question, method),
        ),
        parameters=found.parameters,
        standard_error=found.standard_error,
        segments=found.segments,
        cell=found.cell,
        faithfulness=faithfulness,
    )


def _described(found: Attribution, method: str) -> Iterator[Message]:
    describe = METHODS[method].describe
    if describe is not None:
        yield describe(found)


def _measure(found: Attribution, question: _Question) -> dict[str, Any] | None:
    """Measure how faithful a map is; None where there is no map to be shown."""
    task, classifier = question.task, question.classifier
    if task.quick or not found.values.any() or not np.isfinite(found.values).all():
        return None
    return measure_faithfulness(
        classifier.logits,
        classifier.index[task.target],
        task.image,
        found.values,
        mask=question.mask,
        seed=question.options.seed,
        context=task.context,
    ).to_json()


def _judge(found: Attribution, question: _Question, method: str) -> GateVerdict:
    if question.classifier.provenance.level == "red":
        return question.classifier.provenance
    answer, label, target = question.answer, question.subject.label, question.task.target
    verdicts = [
        question.classifier.provenance,
        *_judge_map(found, method),
        judge_confidence(answer.probabilities, label),
        *_judge_image(question.subject, question.classifier),
        _judge_sanity(question, method),
    ]
    if target != label:
        verdicts.append(judge_target(target, answer.predicted))
    if METHODS[method].uses_baseline:
        verdicts += _judge_difference(found.score - found.baseline_score, question)
    return combine(*verdicts)


def _judge_sanity(question: _Question, method: str) -> GateVerdict:
    """Judge by cascading randomisation: measured where the map is tested anyway, else where it was measured before."""
    classifier = question.classifier
    known = (
        sanity_of(classifier, method, question.task.context)
        if question.options.faithfulness
        else known_sanity(classifier, method)
    )
    return judge_sanity(METHODS[method].title, None if known is None else known.similarity)


def _untested(question: _Question, method: str) -> Iterator[Message]:
    """Report that weight randomisation was not run for this method and classifier."""
    classifier = question.classifier
    if classifier.provenance.level == "red" or question.options.faithfulness or known_sanity(classifier, method):
        return
    yield Message(
        "Not tested for this classifier: whether its maps depend on the trained weights. Measuring "
        "the faithfulness of a map tests it."
    )


def _judge_map(found: Attribution, method: str) -> Iterator[GateVerdict]:
    """Judge what there is to judge of a map: completeness only where the method promises it."""
    yield judge_values(bool(np.isfinite(found.values).all()))
    if METHODS[method].of_difference:
        yield judge_convergence(found.relative_delta, found.score - found.baseline_score, found.steps)
    if found.parameters.get("permutations"):
        yield judge_sampling(found.parameters["relative_standard_error"])
    if "rank_agreement" in found.parameters and found.relative_delta is not None:
        yield judge_agreement(found.parameters["rank_agreement"])


def _judge_difference(difference: float, question: _Question) -> Iterator[GateVerdict]:
    yield judge_direction(question.task.target, question.answer.predicted, difference)
    if question.options.baseline == STRENGTH_BASELINE:
        yield judge_strength(difference, question.classifier.validation)
