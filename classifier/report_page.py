"""`report.html`: one self-contained page about a finished run, from the answer at the top down to the settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from classifier.card import headline_text, leakage_text
from classifier.markdown import blocks
from classifier.results import Results, duration_text
from classifier.tables import (
    CLASS_NAMES,
    calibration_rows,
    class_rows,
    confusion_rows,
    majority_accuracy,
    measured_where,
    overall_rows,
    split_rows,
    weak_classes,
)
from core.utils.html import folded, items, numbers, page, pairs, paragraph, picture, section

REPORT_FILE: Final = "report.html"

STYLE: Final = """
.headline { font-size: 22px; font-weight: 600; margin: 12px 0 4px; }
.warning { border-left: 4px solid #9a6700; padding-left: 12px; }
"""
CAPTIONS: Final[Mapping[str, str]] = {
    "overall_test_metrics.png": "All overall scores with their intervals",
    "per_class_metrics.png": "Recall, precision and F1 of each class with their intervals",
    "specificity_per_class.png": "Specificity of each class with its interval",
    "confusion_matrix.png": "Confusion matrix in images",
    "confusion_matrix_normalized.png": "Confusion matrix in shares of the true class",
    "roc_curves.png": "ROC curve of each class against all others",
    "reliability_diagram.png": "Confidence against accuracy, before and after temperature scaling",
    "training_loss.png": "Loss over the epochs",
    "training_accuracy.png": "Accuracy over the epochs",
    "training_precision.png": "Precision over the epochs",
    "training_recall.png": "Recall over the epochs",
    "training_f1score.png": "F1 over the epochs",
}


def render_report(results: Results, plots: Mapping[str, bytes]) -> str:
    """Return the page; `plots` are PNG files by name, as `plots.draw_plots` gives them."""
    parts = [
        _top(results),
        *_limits(results),
        _classes(results, plots),
        _confusion(results, plots),
        _all_scores(results, plots),
        _calibration(results, plots),
        section("One class against the others", _show(plots, "roc_curves.png")),
        *_training(results, plots),
        _split(results),
        _terms(results),
        _settings(results),
    ]
    return page(f"ISICGUI classifier: {results.architecture}", parts, STYLE)


def _top(results: Results) -> str:
    train = results.splits["train"]
    return (
        f"<h1>Lesion classifier ({results.architecture})</h1>"
        + paragraph(
            f"Trained on {train.images} images of {train.lesions} lesions"
            f"{f' from {results.about.data}' if results.about.data else ''}. It began {results.origin}.",
            "muted",
        )
        + paragraph(f"Balanced accuracy {headline_text(results)}", "headline")
        + paragraph(f"Measured {measured_where(results)}. Chance is {1 / len(results.classes):.3f}.")
    )


def _limits(results: Results) -> Iterator[str]:
    evaluation = results.evaluation
    can = (
        "It is the mean recall over the classes, so a rare class counts as much as a common one. The interval says how "
        "much the choice of test lesions matters: 95 % of 2000 resamples of lesions gave a value within it."
    )
    cannot = (
        "Another training run, another clinic, another camera or other skin tones can give other numbers; nothing here "
        "measures by how much. Two classifiers whose intervals overlap widely are not told apart by this page. For "
        "research only: nobody should be examined, reassured or treated on its word."
    )
    plain = (
        f"Always naming the most frequent class would reach an accuracy of {majority_accuracy(evaluation):.3f}; "
        f"this classifier's accuracy is {evaluation.overall['accuracy']}."
    )
    parts = [paragraph(can), paragraph(plain), paragraph(cannot), *map(_warning, _warnings(results))]
    yield section("What this number says, and what it does not", *parts)


def _warnings(results: Results) -> Iterator[str]:
    if results.measured_on != "test":
        yield (
            "There was no test set: these are the lesions by which the weights were chosen, so every number on this "
            "page is optimistic."
        )
    leakage = results.about.leakage
    if leakage is None or leakage.leaked or not leakage.known:
        yield leakage_text(results)
    weak = weak_classes(results.evaluation)
    if weak:
        names = ", ".join(f"{code} ({results.evaluation.class_lesions[code]})" for code in weak)
        yield f"Few held-out lesions speak for some classes, so their own numbers say little: {names}."


def _warning(text: str) -> str:
    return paragraph(f"⚠ {text}", "warning")


def _classes(results: Results, plots: Mapping[str, bytes]) -> str:
    evaluation = results.evaluation
    return section(
        "Class by class",
        paragraph("Each score with its 95 % interval; a dash where it has no meaning.", "muted"),
        numbers(("class", "images", "lesions", *CLASS_NAMES.values()), class_rows(evaluation)),
        _show(plots, "per_class_metrics.png", "specificity_per_class.png"),
    )


def _confusion(results: Results, plots: Mapping[str, bytes]) -> str:
    return section(
        "What is taken for what",
        paragraph("Rows are true classes, columns are predictions.", "muted"),
        _show(plots, "confusion_matrix_normalized.png"),
        folded(
            "In images",
            numbers(("true \\ predicted", *results.classes), confusion_rows(results.evaluation)),
            _show(plots, "confusion_matrix.png"),
        ),
    )


def _all_scores(results: Results, plots: Mapping[str, bytes]) -> str:
    extra = ""
    if results.extra is not None:
        extra = paragraph(
            f"On {results.extra.images} further images of {results.extra.lesions} lesions that the data set itself "
            f"reserves: balanced accuracy {results.extra.headline}, accuracy {results.extra.overall['accuracy']}."
        )
    return section(
        "All classes together",
        _show(plots, "overall_test_metrics.png"),
        folded("Numbers", numbers(("score", "value", "95 % interval"), overall_rows(results.evaluation))),
        extra,
    )


def _calibration(results: Results, plots: Mapping[str, bytes]) -> str:
    return section(
        "How far its probabilities can be believed",
        paragraph(
            f"The logits are divided by the temperature {results.evaluation.temperature:.3f}, which was fitted on the "
            "validation lesions. Smaller is better for all three scores."
        ),
        numbers(("score", "before", "95 % interval", "after", "95 % interval"), calibration_rows(results.evaluation)),
        _show(plots, "reliability_diagram.png"),
    )


def _training(results: Results, plots: Mapping[str, bytes]) -> Iterator[str]:
    curves = [name for name in CAPTIONS if name.startswith("training_") and name in plots]
    text = (
        f"The weights are those of epoch {results.epoch}, after {results.images_seen} drawn images and "
        f"{duration_text(results.seconds)}: of all epochs the best on the validation lesions (balanced accuracy "
        f"{results.selection:.3f}, optimistic because it was used to choose)."
    )
    yield section(
        "Training", paragraph(text), _show(plots, *curves[:1]), folded("More curves", _show(plots, *curves[1:]))
    )


def _split(results: Results) -> str:
    return section(
        "Who was where",
        paragraph(leakage_text(results)),
        numbers(("split", "images", "lesions", *results.classes), split_rows(results.splits, results.classes)),
        paragraph(f"Fingerprint of the measured lesions: {results.fingerprint}", "muted"),
    )


def _terms(results: Results) -> str:
    licence = results.about.licence
    return section(
        "Data, terms, credit", paragraph(licence.sentence.replace("**", "")), *map(_block, blocks(licence.credit))
    )


def _block(block: list[str]) -> str:
    """Return a paragraph or, where the lines begin with a dash, a list."""
    if block[0].startswith("- "):
        return items(line.removeprefix("- ") for line in block)
    return paragraph(" ".join(block))


def _settings(results: Results) -> str:
    settings = [
        (name, value if isinstance(value, str) else json.dumps(value)) for name, value in results.config.items()
    ]
    return section(
        "Settings and machine",
        pairs([("hardware", results.about.hardware or "not written down"), ("seed", results.seed)]),
        folded("All settings", pairs(settings)),
    )


def _show(plots: Mapping[str, bytes], *names: str) -> str:
    return "".join(picture(plots[name], CAPTIONS[name]) for name in names if name in plots)
