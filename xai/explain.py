"""The two questions one can ask of an image: what does the classifier see, and because of which pixels?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.classification.loading import RECORD_FILE
from core.classification.preprocessing import to_tensor
from core.generator.precision import resolve_device
from core.taxonomy import parse_class
from core.utils.path_manager import PathManager
from xai.attribution import FIRST_STEPS, LAST_STEPS, Attribution, Score, integrated_gradients, never
from xai.baselines import make_baselines
from xai.classifier import Classifier, load_classifier
from xai.explanation import Classification, ExplainOptions, Explanation, GateVerdict
from xai.gate import combine, judge_confidence, judge_convergence, judge_direction, judge_strength, judge_target
from xai.subject import Subject, read_subject

ShouldStop = Callable[[], bool]

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
    should_stop: ShouldStop = never,
) -> list[Explanation]:
    """Explain one image, one `Explanation` for each method asked for.

    Parameters
    ----------
    image
        File, or uint8 array of shape (H, W, 3); never changed.
    label
        Class code that the image stands for; looked up in its recipe, sidecar or folder name if None.
    should_stop
        Looked at before every forward pass of the classifier.

    Raises
    ------
    ExplanationCancelled
        As soon as `should_stop` says so.
    InputRefusedError, ModelRefusedError, DeviceError, UnknownClassError
    """
    if options.target not in ("label", "predicted"):
        options = replace(options, target=parse_class(options.target))
    subject = read_subject(image, label)
    classifier = get_classifier(options.classifier, options.device)
    question = _ask(subject, classifier, options)
    return [_explain(question, method, should_stop) for method in options.methods]


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
    with torch.no_grad():
        logits = classifier.logits(to_tensor(subject.image))[0].double().cpu()
    probabilities = dict(zip(classifier.classes, (logits / classifier.temperature).softmax(0).tolist(), strict=True))
    return Classification(
        max(probabilities, key=probabilities.__getitem__),
        probabilities,
        dict(zip(classifier.classes, logits.tolist(), strict=True)),
        classifier.provenance
        if classifier.provenance.level == "red"
        else combine(classifier.provenance, judge_confidence(probabilities)),
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """One image, one classifier, one class: what all methods have in common."""

    subject: Subject
    classifier: Classifier
    options: ExplainOptions
    answer: Classification
    target: str
    why_target: str


def _ask(subject: Subject, classifier: Classifier, options: ExplainOptions) -> _Question:
    answer = _classify(subject, classifier)
    target, why = _choose_target(options.target, subject, answer, classifier)
    return _Question(subject, classifier, options, answer, target, why)


def _choose_target(target: str, subject: Subject, answer: Classification, classifier: Classifier) -> tuple[str, str]:
    """Return the class whose logit is explained and, in words, why it is this one."""
    wanted = {"predicted": None, "label": subject.label}.get(target, target)
    source = f" ({subject.label_source})" if target == "label" else ""
    if wanted in classifier.index:
        return str(wanted), f"Explained: {wanted}{source}."
    own = f"the classifier's own answer, {answer.predicted}"
    if wanted is not None:
        return answer.predicted, f"The classifier has no class {wanted}, so the map explains {own}."
    if target == "label":
        return answer.predicted, f"No label is known for this image, so the map explains {own}."
    return answer.predicted, f"Explained: {own}."


def _explain(question: _Question, method: str, should_stop: ShouldStop) -> Explanation:
    start = time.perf_counter()
    # Nobody will be shown this map as evidence: no need to make it precise.
    steps = FIRST_STEPS if question.classifier.provenance.level == "red" else LAST_STEPS
    found = _METHODS[method](*_inputs(question), last_steps=steps, should_stop=should_stop)
    return Explanation(
        method=method,
        target=question.target,
        baseline=question.options.baseline,
        image=question.subject.image,
        attribution=found.values,
        score=found.score,
        baseline_score=found.baseline_score,
        delta=found.delta,
        relative_delta=found.relative_delta,
        steps=found.steps,
        classification=question.answer,
        gate=_judge(found, question),
        classifier_sha256=question.classifier.sha256,
        seconds=time.perf_counter() - start,
        source=question.subject.source,
        notes=(question.why_target, *question.subject.notes),
    )


_METHODS: Final[dict[str, Callable[..., Attribution]]] = {"ig": integrated_gradients}
"""Each takes the score, the image, the baselines, `last_steps` and `should_stop`."""


def _inputs(question: _Question) -> tuple[Score, Tensor, list[Tensor]]:
    classifier, image = question.classifier, question.subject.image
    index = classifier.index[question.target]
    pictures = make_baselines(question.options.baseline, image, classifier.preprocessing.mean)
    return (
        lambda pixels: classifier.logits(pixels)[:, index],
        to_tensor(image).to(classifier.device),
        [to_tensor(picture).to(classifier.device) for picture in pictures],
    )


def _judge(found: Attribution, question: _Question) -> GateVerdict:
    if question.classifier.provenance.level == "red":
        return question.classifier.provenance
    difference = found.score - found.baseline_score
    answer, label = question.answer, question.subject.label
    verdicts = [
        question.classifier.provenance,
        judge_convergence(found.relative_delta, difference, found.steps),
        judge_confidence(answer.probabilities, label),
        judge_direction(question.target, answer.predicted, difference),
    ]
    if question.target != label:
        verdicts.append(judge_target(question.target, answer.predicted))
    if question.options.baseline == STRENGTH_BASELINE:
        verdicts.append(judge_strength(difference, question.classifier.validation))
    return combine(*verdicts)
