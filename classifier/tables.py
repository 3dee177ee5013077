"""The results of a run in words and rows, shared by the model card and the report page."""

from __future__ import annotations

from collections.abc import Mapping

from classifier.evaluation import Estimate, Evaluation
from classifier.results import Results, SplitCount

Row = tuple[str, ...]

OVERALL_NAMES = {
    "balanced_accuracy": "Balanced accuracy (mean recall over the classes)",
    "accuracy": "Accuracy",
    "top_3_accuracy": "True class among the three most probable",
    "auc_macro": "ROC AUC, one class against the others, mean",
    "precision_macro": "Precision, mean over the classes",
    "precision_weighted": "Precision, weighted by class size",
    "recall_macro": "Recall, mean over the classes",
    "recall_weighted": "Recall, weighted by class size",
    "f1_macro": "F1, mean over the classes",
    "f1_weighted": "F1, weighted by class size",
    "specificity_mean": "Specificity, mean over the classes",
}
CLASS_NAMES = {
    "recall": "Recall",
    "precision": "Precision",
    "f1": "F1",
    "specificity": "Specificity",
    "auc": "ROC AUC",
    "sensitivity_at_90_specificity": "Recall at 90 % specificity",
}
CALIBRATION_NAMES = {
    "ece": "Expected calibration error",
    "brier": "Brier score (0 to 2)",
    "log_loss": "Log loss (nats)",
}
FEW_LESIONS = 20
"""Below this many held-out lesions, a class's own numbers are called weak."""


def measured_where(results: Results) -> str:
    """Return on what the headline was measured, as a clause."""
    evaluation = results.evaluation
    few = ", too few to say much," if evaluation.is_small else ""
    count = f"{evaluation.images} images of {evaluation.lesions} lesions{few}"
    if results.measured_on == "test":
        return f"on {count} that were used neither for training nor for model selection"
    return f"on the {count} used for model selection (there was no test set), so it is optimistic"


def overall_rows(evaluation: Evaluation) -> list[Row]:
    """Return name, value and interval of every overall score."""
    return [(name, *cells(evaluation.overall[key])) for key, name in OVERALL_NAMES.items()]


def calibration_rows(evaluation: Evaluation) -> list[Row]:
    """Return name, and value and interval before and after temperature scaling."""
    return [
        (name, *cells(evaluation.raw[key]), *cells(evaluation.calibrated[key]))
        for key, name in CALIBRATION_NAMES.items()
    ]


def class_rows(evaluation: Evaluation) -> list[Row]:
    """Return for each class its code, images, lesions, and every score with its interval in one cell."""
    return [
        (
            code,
            str(evaluation.class_images[code]),
            str(evaluation.class_lesions[code]),
            *(short(evaluation.per_class[code][key]) for key in CLASS_NAMES),
        )
        for code in evaluation.classes
    ]


def confusion_rows(evaluation: Evaluation) -> list[Row]:
    """Return for each true class its code and the number of images predicted as each class."""
    return [
        (code, *(str(count) for count in counts))
        for code, counts in zip(evaluation.classes, evaluation.matrix.tolist(), strict=True)
    ]


def split_rows(splits: Mapping[str, SplitCount], classes: tuple[str, ...]) -> list[Row]:
    """Return for each split its name, images, lesions, and images of each class."""
    return [
        (name, str(count.images), str(count.lesions), *(str(count.class_images.get(code, 0)) for code in classes))
        for name, count in splits.items()
    ]


def weak_classes(evaluation: Evaluation) -> list[str]:
    """Return the classes that so few held-out lesions speak for that their own numbers say little."""
    return [code for code in evaluation.classes if evaluation.class_lesions[code] < FEW_LESIONS]


def cells(estimate: Estimate) -> tuple[str, str]:
    """Return value and interval."""
    if estimate.value is None:
        return "not defined", ""
    return f"{estimate.value:.3f}", interval_text(estimate)


def short(estimate: Estimate) -> str:
    """Return value and interval in one cell."""
    if estimate.value is None:
        return "–"
    interval = interval_text(estimate, 2)
    return f"{estimate.value:.2f} ({interval})" if interval else f"{estimate.value:.2f}"


def interval_text(estimate: Estimate, digits: int = 3) -> str:
    """Return `low–high`, or nothing where there is no interval."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{estimate.low:.{digits}f}–{estimate.high:.{digits}f}"


def majority_accuracy(evaluation: Evaluation) -> float:
    """Return the accuracy of always naming the most frequent class."""
    counts = evaluation.matrix.sum(axis=1)
    return float(counts.max() / counts.sum())
