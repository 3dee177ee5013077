"""The report on a finished run, from the answer at the top down to the settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from classifier.card import headline_text, leakage_text
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
from reports.model import Authored, Block, Details, Facts, Figure, Paragraph, Report, Section, Table, parse

REPORT_FILE: Final = "report.html"

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


def report_of(results: Results, plots: Mapping[str, bytes]) -> Report:
    """Return the report; `plots` are PNG files by name, as `plots.draw_plots` gives them."""
    sections = [
        _limits(results),
        _classes(results, plots),
        _confusion(results, plots),
        _all_scores(results, plots),
        _calibration(results, plots),
        Section("One class against the others", show(plots, "roc_curves.png")),
        _training(results, plots),
        _split(results),
        _terms(results),
        _settings(results),
    ]
    title = f"Lesion classifier ({results.architecture})"
    return Report(title, _lead(results), sections, f"ISICGUI classifier: {results.architecture}")


def show(plots: Mapping[str, bytes], *names: str) -> list[Block]:
    """Return those of the named plots that there are."""
    return [Figure(plots[name], CAPTIONS[name], captioned=False) for name in names if name in plots]


def warning(text: str) -> Paragraph:
    """Return a sentence that must not be overlooked."""
    return Paragraph(f"⚠ {text}", "warning")


def _lead(results: Results) -> Sequence[Block]:
    train = results.splits["train"]
    source = f" from {results.about.data}" if results.about.data else ""
    made = f"Trained on {train.images} images of {train.lesions} lesions{source}. It began {results.origin}."
    return (
        Paragraph(made, "muted"),
        Paragraph(f"Balanced accuracy {headline_text(results)}", "headline"),
        Paragraph(f"Measured {measured_where(results)}. Chance is {results.evaluation.chance:.3f}."),
    )


_CAN: Final = (
    "It is the mean recall over the classes, so a rare class counts as much as a common one. The CI covers the choice "
    "of test lesions: 95 % of 2000 resamples of lesions gave a value within it."
)
_CANNOT: Final = (
    "Another training run, clinic or camera, or other skin tones, can give other numbers; by how much was not "
    "measured. If the CIs of two classifiers overlap widely, this report does not show a difference between them. For "
    "research only: its predictions must not be used to examine, reassure or treat anybody."
)


def _limits(results: Results) -> Section:
    plain = (
        "Always predicting the most frequent class would reach an accuracy of "
        f"{majority_accuracy(results.evaluation):.3f}; this classifier's accuracy is "
        f"{results.evaluation.overall['accuracy']}."
    )
    blocks = [*map(Paragraph, (_CAN, plain, _CANNOT)), *map(warning, _warnings(results))]
    return Section("How to read this number", blocks)


def _warnings(results: Results) -> Iterator[str]:
    if results.measured_on != "test":
        yield (
            "There was no test set: these lesions were also used for model selection, so every number on this page is "
            "optimistic."
        )
    leakage = results.about.leakage
    if leakage is None or leakage.leaked or not leakage.known:
        yield leakage_text(results)
    weak = weak_classes(results.evaluation)
    if weak:
        names = ", ".join(f"{code} ({results.evaluation.class_lesions[code]})" for code in weak)
        yield f"Some classes have few held-out lesions, so their numbers are uncertain: {names}."


def _classes(results: Results, plots: Mapping[str, bytes]) -> Section:
    table = Table(("class", "images", "lesions", *CLASS_NAMES.values()), class_rows(results.evaluation))
    words = Paragraph("Each score with its 95 % CI; a dash where it is not defined.", "muted")
    return Section("Class by class", [words, table, *show(plots, "per_class_metrics.png", "specificity_per_class.png")])


def _confusion(results: Results, plots: Mapping[str, bytes]) -> Section:
    table = Table(("true \\ predicted", *results.classes), confusion_rows(results.evaluation))
    blocks = [
        Paragraph("Rows are true classes, columns are predictions.", "muted"),
        *show(plots, "confusion_matrix_normalized.png"),
        Details("In images", [table, *show(plots, "confusion_matrix.png")]),
    ]
    return Section("What is taken for what", blocks)


def _all_scores(results: Results, plots: Mapping[str, bytes]) -> Section:
    table = Table(("score", "value", "95 % interval"), overall_rows(results.evaluation), folded=True)
    blocks = [*show(plots, "overall_test_metrics.png"), table]
    if (extra := results.extra) is not None:
        words = (
            f"On {extra.images} further images of {extra.lesions} lesions that the data set itself reserves: balanced "
            f"accuracy {extra.headline}, accuracy {extra.overall['accuracy']}."
        )
        blocks.append(Paragraph(words))
    return Section("All classes together", blocks)


def _calibration(results: Results, plots: Mapping[str, bytes]) -> Section:
    words = (
        f"The logits are divided by the temperature {results.evaluation.temperature:.3f}, which was fitted on the "
        "validation lesions. Smaller is better for all three scores."
    )
    head = ("score", "before", "95 % interval", "after", "95 % interval")
    blocks: list[Block] = [Paragraph(words), Table(head, calibration_rows(results.evaluation))]
    return Section("Calibration of the probabilities", [*blocks, *show(plots, "reliability_diagram.png")])


def _training(results: Results, plots: Mapping[str, bytes]) -> Section:
    curves = show(plots, *(name for name in CAPTIONS if name.startswith("training_")))
    words = (
        f"The weights are those of epoch {results.epoch}, after {results.images_seen} images and "
        f"{duration_text(results.seconds)}: the best epoch on the validation lesions (balanced accuracy "
        f"{results.selection:.3f}, optimistic because it was used for model selection)."
    )
    return Section("Training", [Paragraph(words), *curves[:1], Details("More curves", curves[1:])])


def _split(results: Results) -> Section:
    table = Table(("split", "images", "lesions", *results.classes), split_rows(results.splits, results.classes))
    fingerprint = Paragraph(f"Fingerprint of the measured lesions: {results.fingerprint}", "muted")
    return Section("Splits", [Paragraph(leakage_text(results)), table, fingerprint])


def _terms(results: Results) -> Section:
    licence = results.about.licence
    return Section("Data, licence, credit", [Paragraph(parse(licence.sentence)), Authored(licence.credit)])


def _settings(results: Results) -> Section:
    settings = [
        (name, value if isinstance(value, str) else json.dumps(value)) for name, value in results.config.items()
    ]
    machine = Facts([("hardware", results.about.hardware or "not written down"), ("seed", results.seed)])
    return Section("Settings and machine", [machine, Details("All settings", [Facts(settings)])])
