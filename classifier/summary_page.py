"""`report.html` of a run of several trainings: the mean and its spread first, then everything pooled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from classifier.report_page import CAPTIONS, STYLE
from classifier.tables import CLASS_NAMES, OVERALL_NAMES, class_rows, confusion_rows, interval_text
from core.utils.html import folded, numbers, page, paragraph, picture, section

if TYPE_CHECKING:
    from classifier.aggregate import Summary


def render_summary(summary: Summary, plots: Mapping[str, bytes]) -> str:
    """Return the page; `plots` are those of the pooled answers."""
    parts = [_top(summary), _runs(summary), _scores(summary), _classes(summary), *_pooled(summary, plots)]
    return page("ISICGUI classifier: several trainings", parts, STYLE)


def _top(summary: Summary) -> str:
    pooled = summary.pooled
    return (
        f"<h1>Lesion classifier, {len(summary.lines)} trainings</h1>"
        + paragraph(f"{pooled.images} held-out images of {pooled.lesions} lesions in all.", "muted")
        + paragraph(f"Balanced accuracy {summary.scores['balanced_accuracy']}", "headline")
        + paragraph("Mean and standard deviation over the trainings, each measured on its own held-out lesions.")
        + paragraph(f"All held-out answers together: {pooled.headline}, 95 % interval from a bootstrap of lesions.")
        + paragraph(
            "The deviation shows how much a single training varies with its split and its random numbers; folds share "
            "most of their training images, so it is no standard error of the mean. The interval shows how much the "
            "choice of lesions matters. Neither says anything about another clinic or camera. For research only.",
            "muted",
        )
        + ("" if summary.measured_on == "test" else _optimistic())
    )


def _optimistic() -> str:
    text = "⚠ Not every training had a test set: some numbers are of the lesions that chose the weights: optimistic."
    return paragraph(text, "warning")


def _runs(summary: Summary) -> str:
    rows = [
        (line.place, str(line.seed), str(line.images), str(line.lesions), _value(line.headline.value),
         interval_text(line.headline))
        for line in summary.lines
    ]  # fmt: skip
    head = ("training", "seed", "images", "lesions", "balanced accuracy", "95 % interval")
    return section(
        "The trainings", numbers(head, rows), paragraph("Each has a report of its own in its folder.", "muted")
    )


def _scores(summary: Summary) -> str:
    rows = [
        (name, str(summary.scores[key]), _value(summary.pooled.overall[key].value),
         interval_text(summary.pooled.overall[key]))
        for key, name in OVERALL_NAMES.items()
    ]  # fmt: skip
    return section("All scores", numbers(("score", "mean ± deviation", "pooled", "95 % interval"), rows))


def _classes(summary: Summary) -> str:
    rows = [(code, *(str(summary.class_scores[code][key]) for key in CLASS_NAMES)) for code in summary.pooled.classes]
    return section(
        "Class by class",
        paragraph("Mean ± standard deviation over the trainings.", "muted"),
        numbers(("class", *CLASS_NAMES.values()), rows),
        folded(
            "Pooled, with intervals",
            numbers(("class", "images", "lesions", *CLASS_NAMES.values()), class_rows(summary.pooled)),
        ),
    )


def _pooled(summary: Summary, plots: Mapping[str, bytes]) -> Iterable[str]:
    yield section(
        "All held-out answers together",
        *(picture(data, CAPTIONS[name]) for name, data in plots.items() if name != "confusion_matrix.png"),
        folded(
            "Confusion in images",
            numbers(("true \\ predicted", *summary.pooled.classes), confusion_rows(summary.pooled)),
        ),
    )


def _value(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
