"""The report on a run of several trainings: the mean and its spread first, then everything pooled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from classifier.report_page import show, warning
from classifier.tables import CLASS_NAMES, OVERALL_NAMES, class_rows, confusion_rows, interval_text
from reports.model import Block, Paragraph, Report, Section, Table

if TYPE_CHECKING:
    from classifier.aggregate import Summary


_ABOUT: Final = (
    "The standard deviation is that of single trainings over splits and seeds; folds share most of their training "
    "images, so it is not a standard error of the mean. The CI covers the choice of lesions. Neither covers another "
    "clinic or camera. For research only."
)
_OPTIMISTIC: Final = (
    "Not every training had a test set: some numbers come from lesions used for model selection and are optimistic."
)


def report_of_summary(summary: Summary, plots: Mapping[str, bytes]) -> Report:
    """Return the report; `plots` are those of the pooled answers."""
    sections = [_runs(summary), _scores(summary), _classes(summary), _pooled(summary, plots)]
    title = f"Lesion classifier, {len(summary.lines)} trainings"
    return Report(title, list(_lead(summary)), sections, "ISICGUI classifier: several trainings")


def _lead(summary: Summary) -> Iterator[Block]:
    pooled = summary.pooled
    yield Paragraph(f"{pooled.images} held-out images of {pooled.lesions} lesions in all.", "muted")
    yield Paragraph(f"Balanced accuracy {summary.scores['balanced_accuracy']}", "headline")
    yield Paragraph("Mean and standard deviation over the trainings, each measured on its own held-out lesions.")
    yield Paragraph(f"All held-out answers together: {pooled.headline}, 95 % interval from a bootstrap of lesions.")
    yield Paragraph(_ABOUT, "muted")
    if summary.measured_on != "test":
        yield warning(_OPTIMISTIC)


def _runs(summary: Summary) -> Section:
    rows = [
        (line.place, str(line.seed), str(line.images), str(line.lesions), _value(line.headline.value),
         interval_text(line.headline))
        for line in summary.lines
    ]  # fmt: skip
    head = ("training", "seed", "images", "lesions", "balanced accuracy", "95 % interval")
    words = Paragraph("Each has a report of its own in its folder.", "muted")
    return Section("The trainings", [Table(head, rows), words])


def _scores(summary: Summary) -> Section:
    rows = [
        (name, str(summary.scores[key]), _value(summary.pooled.overall[key].value),
         interval_text(summary.pooled.overall[key]))
        for key, name in OVERALL_NAMES.items()
    ]  # fmt: skip
    return Section("All scores", [Table(("score", "mean ± deviation", "pooled", "95 % interval"), rows)])


def _classes(summary: Summary) -> Section:
    rows = [(code, *(str(summary.class_scores[code][key]) for key in CLASS_NAMES)) for code in summary.pooled.classes]
    pooled = Table(
        ("class", "images", "lesions", *CLASS_NAMES.values()),
        class_rows(summary.pooled),
        "Pooled, with intervals",
        folded=True,
    )
    words = Paragraph("Mean ± standard deviation over the trainings.", "muted")
    return Section("Class by class", [words, Table(("class", *CLASS_NAMES.values()), rows), pooled])


def _pooled(summary: Summary, plots: Mapping[str, bytes]) -> Section:
    head = ("true \\ predicted", *summary.pooled.classes)
    table = Table(head, confusion_rows(summary.pooled), "Confusion in images", folded=True)
    shown = show(plots, *(name for name in plots if name != "confusion_matrix.png"))
    return Section("All held-out answers together", [*shown, table])


def _value(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
