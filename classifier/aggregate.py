"""Several trainings of one run, by fold and by seed, put together: mean, spread, and one pooled measurement.

`summary.json` holds `format`, `runs` (each with `place`, `seed`, `measured_on`, `images`, `lesions` and its balanced
accuracy as `{value, low, high}`), `scores` and `class_scores` (`{mean, sd, n}` over the runs; `sd` is the sample
standard deviation, null for one run), `balanced_accuracy` and `estimates` of all held-out answers together, their
`confusion_matrix`, `classes`, `images`, `lesions` and `measured_on`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import AfterValidator, model_validator

import reports
from classifier.evaluation import Answers, Estimate, Evaluation, evaluate
from classifier.plots import draw_plots, write_plots
from classifier.predictions import PREDICTIONS_FILE, join, read_predictions
from classifier.report_page import REPORT_FILE
from classifier.results import FORMAT, RESULTS_FILE, estimates_json
from classifier.summary_page import report_of_summary
from classifier.tables import CLASS_NAMES, OVERALL_NAMES
from core.errors import InputRefusedError
from core.files.reading import ClassCode, DamagedFileError, Schema, Whole, read_json
from core.files.text import finite_json
from core.keeping import replace_kept_text
from core.message import Message
from reports.html import render_html

SUMMARY_FILE: Final = "summary.json"
PLOTS_FOLDER: Final = "plots"


@dataclass(frozen=True, slots=True)
class RunLine:
    """One training's headline; `place` is its folder within the run."""

    place: str
    seed: int
    measured_on: str
    images: int
    lesions: int
    headline: Estimate


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and sample standard deviation of a score over the runs in which it has a meaning."""

    mean: float | None
    sd: float | None
    n: int

    def __str__(self) -> str:
        if self.mean is None:
            return "–"
        return f"{self.mean:.3f}" if self.sd is None else f"{self.mean:.3f} ± {self.sd:.3f}"


@dataclass(frozen=True, eq=False)
class Summary:
    """Several trainings together.

    Attributes
    ----------
    scores, class_scores
        Over the runs, by score; by class and score.
    pooled
        All held-out answers together, each run's with its own temperature; a lesion that several seeds answered is
        resampled with all their answers.
    """

    lines: tuple[RunLine, ...]
    scores: Mapping[str, Spread]
    class_scores: Mapping[str, Mapping[str, Spread]]
    pooled: Evaluation

    @property
    def measured_on(self) -> str:
        """`test`, or `validation` if any of the runs had no test set."""
        return "test" if all(line.measured_on == "test" for line in self.lines) else "validation"

    @property
    def sentence(self) -> str:
        """The headline in words."""
        return (
            f"balanced accuracy {self.scores['balanced_accuracy']} (mean ± standard deviation over {len(self.lines)} "
            f"runs); of all held-out answers together {self.pooled.headline}"
        )


def summarise_runs(folder: Path, runs: Sequence[Path]) -> Summary:
    """Put finished trainings together and write `summary.json`, `plots/` and `report.html` into `folder`.

    Raises
    ------
    InputRefusedError
        If a training has not left its results, or has other classes than the first.
    """
    found = [_read_results(run) for run in runs]
    answers = [_read_answers(run, found[0]["classes"]) for run in runs]
    summary = Summary(
        lines=tuple(_line(run.relative_to(folder).as_posix(), data) for run, data in zip(runs, found, strict=True)),
        scores=_spreads([data["estimates"]["overall"] for data in found]),
        class_scores={
            code: _spreads([data["estimates"]["per_class"][code] for data in found]) for code in found[0]["classes"]
        },
        pooled=evaluate(join(answers)),
    )
    plots = draw_plots(summary.pooled, {})
    write_plots(folder / PLOTS_FOLDER, plots)
    reports.write(folder / REPORT_FILE, render_html(report_of_summary(summary, plots)))
    replace_kept_text(folder / SUMMARY_FILE, finite_json(summary_json(summary)))
    return summary


def summary_json(summary: Summary) -> dict[str, Any]:
    """Return the content of `summary.json`."""
    return {
        "format": FORMAT,
        "runs": [asdict(line) for line in summary.lines],
        "measured_on": summary.measured_on,
        "scores": {name: asdict(spread) for name, spread in summary.scores.items()},
        "class_scores": {
            code: {name: asdict(spread) for name, spread in spreads.items()}
            for code, spreads in summary.class_scores.items()
        },
        "balanced_accuracy": summary.pooled.headline.value,
        "estimates": estimates_json(summary.pooled),
        "classes": list(summary.pooled.classes),
        "confusion_matrix": summary.pooled.matrix.tolist(),
        "images": summary.pooled.images,
        "lesions": summary.pooled.lesions,
    }


def spread_of(values: Sequence[float | None]) -> Spread:
    """Return mean and sample standard deviation of the values that are there."""
    known = [value for value in values if value is not None]
    if not known:
        return Spread(None, None, 0)
    return Spread(float(np.mean(known)), float(np.std(known, ddof=1)) if len(known) > 1 else None, len(known))


def _spreads(runs: Sequence[Mapping[str, Mapping[str, float | None]]]) -> dict[str, Spread]:
    return {name: spread_of([run[name]["value"] for run in runs]) for name in runs[0]}


def _line(place: str, data: Mapping[str, Any]) -> RunLine:
    headline = Estimate(**data["estimates"]["overall"]["balanced_accuracy"])
    return RunLine(place, data["seed"], data["measured_on"], data["images"], data["lesions"], headline)


class _Measured(Schema):
    value: float | None
    low: float | None = None
    high: float | None = None


def _with_all(names: Mapping[str, str]) -> AfterValidator:
    """Return a check that a score of every name is there."""

    def check(scores: dict[str, _Measured]) -> dict[str, _Measured]:
        if missing := [name for name in names if name not in scores]:
            raise ValueError(f"{', '.join(missing)} is missing")
        return {name: scores[name] for name in names}

    return AfterValidator(check)


class _Estimates(Schema):
    overall: Annotated[dict[str, _Measured], _with_all(OVERALL_NAMES)]
    per_class: dict[ClassCode, Annotated[dict[str, _Measured], _with_all(CLASS_NAMES)]]


class _Results(Schema):
    """`test_results.json`, as far as it is put together."""

    classes: list[ClassCode]
    measured_on: Literal["test", "validation"]
    images: Whole
    lesions: Whole
    seed: Whole
    estimates: _Estimates

    @model_validator(mode="after")
    def _agree(self) -> _Results:
        if not self.classes or sorted(self.classes) != sorted(self.estimates.per_class):
            raise ValueError("the classes and the estimates by class do not agree")
        return self


def _read_results(run: Path) -> dict[str, Any]:
    path = run / RESULTS_FILE
    try:
        found: _Results = read_json(path, _Results, what="the results of a training")
    except (OSError, DamagedFileError) as error:
        raise InputRefusedError(
            Message(
                "The training in '{run}' has no results: {path} cannot be read ({why}).",
                run=run,
                path=path,
                why=getattr(error, "message", error),
            ),
            remedy=Message("Finish it with --resume."),
            path=path,
        ) from error
    return found.model_dump()


def _read_answers(run: Path, classes: Sequence[str]) -> Answers:
    path = run / PREDICTIONS_FILE
    answers = read_predictions(path)
    if answers.classes != tuple(classes):
        raise InputRefusedError(
            Message(
                "{path} has the classes {classes}, and the first training has {classes2}.",
                path=path,
                classes=", ".join(answers.classes),
                classes2=", ".join(classes),
            ),
            remedy=Message("Combine only trainings with the same classes."),
            path=path,
        )
    return answers
