"""The experiment as sections of a report: the answer, every arm, every difference, the classes, the protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.message import Message
from core.taxonomy import CLASS_CODES
from core.version import PRODUCT, __version__
from evaluation.finding import Finding
from evaluation.utility.arms import SYNTHETIC_ONLY
from evaluation.utility.data import Material
from evaluation.utility.figure import differences_figure
from evaluation.utility.request import UtilityRequest
from evaluation.utility.statistics import HEADLINE, MELANOMA, METRICS, RECALL, Difference, Interval
from evaluation.utility.verdict import ArmResult, Verdict, differences, points
from reports.model import Block, Facts, Figure, Paragraph, Report, Table

METRIC_WORDS: Final = {
    HEADLINE: "balanced accuracy",
    "f1_macro": "macro F1",
    "auc_macro": "macro AUC",
    MELANOMA: "melanoma sensitivity at 90 % specificity",
    "ece": "calibration error (ECE)",
    "brier": "Brier score",
}

ABOUT: Final = (
    "For research and teaching only; never a diagnosis. Every training condition had the same number of optimiser "
    "steps; every difference is given with its 95 % CI over test lesions and seeds."
)

OTHERS: Final = (*METRICS[1:], *(f"{RECALL}{code}" for code in CLASS_CODES))
"""Everything but the score that decides."""

LIMITS: Final = (
    Message(
        "A gain here is a gain of this small classifier on these test lesions. It says nothing about a stronger one, "
        "about photographs from elsewhere, or about patients."
    ),
    Message(
        "Checkpoints and the compared conditions are selected on validation lesions; test lesions "
        "are evaluated once, after selection. Differences are paired by lesion and by seed."
    ),
)


def report_of(findings: Sequence[Finding], created: str) -> Report:
    """Return the report of the experiment; `created` says when."""
    lead = (Paragraph(f"{PRODUCT} {__version__}, {created}", "muted"), Paragraph(ABOUT))
    title, name = "Downstream utility: does the synthetic data improve a classifier?", "Downstream utility"
    return Report(title, lead, [found.section() for found in findings], name)


def answer_section(verdict: Verdict, found: Sequence[Difference], results: Sequence[ArmResult]) -> Finding:
    """Return the verdict with every difference that stands behind it."""
    titles = {result.arm.key: str(result.arm.title) for result in results}
    rows = [[titles[d.arm], titles[d.than], points(d.interval.value), _range(d.interval), d.call] for d in found]
    table = Table(
        ("condition", "compared with", "percentage points", "95 % CI", "verdict"),
        rows,
        "Every difference",
        words=frozenset({0, 1, 4}),
        folded=True,
    )
    picture = Figure(differences_figure(found, titles), "Balanced accuracy against each control, in percentage points")
    data: dict[str, Any] = {
        "chosen": verdict.chosen,
        "control": verdict.control,
        "difference": verdict.difference.interval.to_json(),
        "call": verdict.difference.call,
        "differences": [_difference(d) for d in found],
    }
    others = [d for metric in OTHERS for d in differences(results, metric)]
    data["other_metrics"] = [_difference(d) for d in others]
    pair = (verdict.chosen, verdict.control)
    more = _other_metrics([d for d in others if (d.arm, d.than) == pair], titles)
    parts: list[Block] = [picture, table, more, *(Paragraph(words, "muted") for words in LIMITS)]
    return Finding("utility", "Downstream utility", verdict.level, verdict.words, parts, data)


def _difference(found: Difference) -> dict[str, Any]:
    return {
        "arm": found.arm,
        "than": found.than,
        "metric": found.metric,
        **found.interval.to_json(),
        "call": found.call,
    }


def _other_metrics(found: Sequence[Difference], titles: Mapping[str, str]) -> Table:
    """Return how the two arms of the verdict differ in everything else."""
    rows = [[_metric(d.metric), points(d.interval.value), _range(d.interval), d.call] for d in found]
    caption = f"Other scores: {titles[found[0].arm]} - {titles[found[0].than]}; one in twenty differs by chance"
    return Table(
        ("score", "percentage points", "95 % CI", "verdict"), rows, caption, words=frozenset({0, 3}), folded=True
    )


def _metric(name: str) -> str:
    return METRIC_WORDS.get(name) or f"recall of {name.removeprefix(RECALL)}"


def arms_section(results: Sequence[ArmResult]) -> Finding:
    """Return the scores of every arm."""
    rows = [
        [str(result.arm.title), *(_number(result.scores.interval(metric)) for metric in METRICS)] for result in results
    ]
    head = ("condition", *(METRIC_WORDS[metric] for metric in METRICS))
    data = {
        result.arm.key: {
            "title": str(result.arm.title),
            "ratio": result.arm.ratio,
            "balance": result.arm.balance,
            "validation_balanced_accuracy": result.validation_score,
            "seeds": [float(value) for value in result.scores.values[HEADLINE][:, 0]],
            **{metric: result.scores.interval(metric).to_json() for metric in METRICS},
            "recall": {code: result.scores.interval(RECALL + code).to_json() for code in CLASS_CODES},
        }
        for result in results
    }
    alone = next(result for result in results if result.arm.key == SYNTHETIC_ONLY).scores.interval(HEADLINE)
    words = Message(
        "Trained on synthetic images alone, the classifier reaches a balanced accuracy of {value} on real lesions.",
        value=_number(alone),
    )
    return Finding(
        "arms", "Training conditions", "unknown", words, [Table(head, rows, "Scores"), _recalls(results)], data
    )


def data_section(request: UtilityRequest, material: Material) -> Finding:
    """Return the data, and how the classifiers were trained."""
    rows = [
        [name, str(len(part)), str(len(set(part.lesions))), *_by_class(part.labels.tolist())]
        for name, part in material.parts.items()
    ]
    settings = request.settings
    training = settings.training
    words = Message(
        "Each training condition: {architecture}, {size} pixels, {steps} steps of {batch} images, %n seed(s).",
        architecture=training.architecture,
        size=training.image_size,
        steps=training.steps,
        batch=training.batch_size,
        n=settings.seeds,
    )
    folders = {
        "Training photographs": request.train,
        "Test photographs": request.test,
        "Synthetic": ", ".join(map(str, request.synthetic)),
    }
    parts: list[Block] = [Facts(list(folders.items()))]
    parts += (
        [Paragraph(f"Excluded before training by the rules {request.curate}: see curation.csv.")]
        if request.curate
        else []
    )
    parts += [Table(("split", "images", "lesions", *CLASS_CODES), rows, "Images", folded=True)]
    if material.copies_of_train:
        copies = Message(
            "Identical to training photographs, pixel for pixel: %n synthetic image(s).", n=material.copies_of_train
        )
        parts.append(Paragraph(copies, "warning"))
    parts += [Paragraph(note, "muted") for note in material.notes]
    data = {
        "images": {name: len(part) for name, part in material.parts.items()},
        "lesions": {name: len(set(part.lesions)) for name, part in material.parts.items()},
        "copies_of_test": material.copies_of_test,
        "copies_of_train": material.copies_of_train,
        "notes": [str(note) for note in material.notes],
        "fingerprint": material.fingerprint,
    }
    return Finding("data", "What was compared", "unknown", words, parts, data)


def _recalls(results: Sequence[ArmResult]) -> Table:
    rows = [
        [str(result.arm.title), *(_number(result.scores.interval(RECALL + code)) for code in CLASS_CODES)]
        for result in results
    ]
    return Table(("condition", *CLASS_CODES), rows, "Recall of each class", folded=True)


def _by_class(labels: Sequence[int]) -> list[str]:
    return [str(sum(label == index for label in labels)) for index in range(len(CLASS_CODES))]


def _number(found: Interval) -> str:
    if found.value is None:
        return "not defined"
    return f"{found.value:.3f}" if found.low is None else f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _range(found: Interval) -> str:
    return "not known" if found.low is None else f"{points(found.low)} to {points(found.high)}"
