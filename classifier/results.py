"""What is known of a finished run, and `test_results.json`, which says it to programs.

The file has the keys of ISICGenerator (`classification_report`, `confusion_matrix`, `auc_roc`, `auc_per_class`,
`roc_curves`, `balanced_accuracy`, `specificity_per_class`, `average_specificity`, `training_time_seconds`,
`training_time_formatted`) with the same meaning, and besides them:

- `format`, `classes` (the order of every list and matrix), `architecture`, `measured_on` (`test`, or `validation` where
  there is no test set), `images`, `lesions`, `class_images`, `class_lesions`;
- `estimates`: `overall` and `per_class`, each score as `{value, low, high}` with a 95 % interval;
- `calibration`: `temperature`, and `before` and `after` it `scores` (ECE, Brier, log loss) and `reliability` (`count`,
  `confidence`, `accuracy` of each bin);
- `extra`: `estimates` and counts on images that the data set itself reserves, or null;
- `splits`, `split_fingerprint`, `leakage`, `seed`, `origin`, `epoch`, `images_seen`, `selection_balanced_accuracy`,
  `data`, `licence`, `hardware`, `config`.

A score that has no meaning, such as the AUC of a class that does not occur, is null. A class that does not occur is
left out of every mean over classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from classifier.evaluation import Estimate, Evaluation
from classifier.scores import Reliability
from core.models.classification.loading import Preprocessing
from photographs.licence import Licence
from photographs.splits import Leakage

FORMAT: Final = 1
RESULTS_FILE: Final = "test_results.json"


@dataclass(frozen=True, slots=True)
class RunAbout:
    """What a trainer knows about a run besides the network.

    Attributes
    ----------
    data
        Where the photographs come from, in words.
    leakage
        Held-out images whose lesion is in training; None if it was not measured.
    """

    data: str = ""
    licence: Licence = field(default_factory=Licence)
    leakage: Leakage | None = None
    hardware: str = ""


@dataclass(frozen=True, slots=True)
class SplitCount:
    """How many images and lesions a split has, and how many images of each class."""

    images: int
    lesions: int
    class_images: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Results:
    """A finished run.

    Attributes
    ----------
    origin
        What training began with, one sentence: random weights, or which pretrained ones.
    epoch, images_seen, seconds
        Of the weights that were kept.
    selection
        Balanced accuracy on the validation lesions, by which those weights were chosen.
    splits
        Counts by name: train, validation, test, extra.
    measured_on
        `test`, or `validation` if there is no test set; then `evaluation` is optimistic.
    extra
        Measured on images that the data set itself reserves, if it does.
    """

    architecture: str
    preprocessing: Preprocessing
    config: Mapping[str, Any]
    seed: int
    origin: str
    epoch: int
    images_seen: int
    seconds: float
    selection: float
    splits: Mapping[str, SplitCount]
    fingerprint: str
    measured_on: str
    evaluation: Evaluation
    extra: Evaluation | None = None
    about: RunAbout = field(default_factory=RunAbout)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class code of each logit."""
        return self.evaluation.classes

    @property
    def headline(self) -> Estimate:
        """The balanced accuracy on lesions that the classifier has not seen."""
        return self.evaluation.headline


def time_text(seconds: float) -> str:
    """Return a duration as `HH:MM:SS`."""
    whole = round(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def duration_text(seconds: float) -> str:
    """Return a duration in words, in minutes or, from two hours on, in hours."""
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


def results_json(results: Results) -> dict[str, Any]:
    """Return the content of `test_results.json`."""
    evaluation, about = results.evaluation, results.about
    return {
        "format": FORMAT,
        "classes": list(results.classes),
        "architecture": results.architecture,
        "measured_on": results.measured_on,
        **_counts(evaluation),
        **_predecessor_keys(evaluation),
        "training_time_seconds": results.seconds,
        "training_time_formatted": time_text(results.seconds),
        "estimates": estimates_json(evaluation),
        "calibration": {
            "temperature": evaluation.temperature,
            "before": _calibration(evaluation.raw, evaluation.raw_reliability),
            "after": _calibration(evaluation.calibrated, evaluation.reliability),
        },
        "extra": None
        if results.extra is None
        else {**_counts(results.extra), "estimates": estimates_json(results.extra)},
        "splits": {name: asdict(count) for name, count in results.splits.items()},
        "split_fingerprint": results.fingerprint,
        "leakage": None if about.leakage is None else asdict(about.leakage),
        "seed": results.seed,
        "origin": results.origin,
        "epoch": results.epoch,
        "images_seen": results.images_seen,
        "selection_balanced_accuracy": results.selection,
        "data": about.data,
        "licence": about.licence.name,
        "hardware": about.hardware,
        "config": dict(results.config),
    }


def _counts(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "images": evaluation.images,
        "lesions": evaluation.lesions,
        "class_images": dict(evaluation.class_images),
        "class_lesions": dict(evaluation.class_lesions),
    }


def _predecessor_keys(evaluation: Evaluation) -> dict[str, Any]:
    def values(name: str) -> dict[str, float | None]:
        return {code: evaluation.per_class[code][name].value for code in evaluation.classes}

    return {
        "classification_report": _report(evaluation),
        "confusion_matrix": evaluation.matrix.tolist(),
        "auc_roc": evaluation.overall["auc_macro"].value,
        "auc_per_class": values("auc"),
        "roc_curves": {code: asdict(curve) for code, curve in evaluation.curves.items()},
        "balanced_accuracy": evaluation.headline.value,
        "specificity_per_class": list(values("specificity").values()),
        "average_specificity": evaluation.overall["specificity_mean"].value,
    }


def _report(evaluation: Evaluation) -> dict[str, Any]:
    """Return ISICGenerator's report: the layout of scikit-learn's `classification_report(output_dict=True)`."""
    support = evaluation.matrix.sum(axis=1).tolist()
    report: dict[str, Any] = {
        code: {**_triple(evaluation.per_class[code]), "support": count}
        for code, count in zip(evaluation.classes, support, strict=True)
    }
    report["accuracy"] = evaluation.overall["accuracy"].value
    for name, average in (("macro avg", "macro"), ("weighted avg", "weighted")):
        report[name] = {**_triple(evaluation.overall, f"_{average}"), "support": sum(support)}
    return report


def _triple(estimates: Mapping[str, Estimate], suffix: str = "") -> dict[str, float | None]:
    names: Sequence[tuple[str, str]] = (("precision", "precision"), ("recall", "recall"), ("f1-score", "f1"))
    return {name: estimates[key + suffix].value for name, key in names}


def estimates_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return every score with its interval, `overall` and `per_class`."""
    return {
        "overall": {name: estimate.to_json() for name, estimate in evaluation.overall.items()},
        "per_class": {
            code: {name: estimate.to_json() for name, estimate in estimates.items()}
            for code, estimates in evaluation.per_class.items()
        },
    }


def _calibration(scores: Mapping[str, Estimate], diagram: Reliability) -> dict[str, Any]:
    return {
        "scores": {name: estimate.to_json() for name, estimate in scores.items()},
        "reliability": asdict(diagram),
    }
