"""The figures of a run, under ISICGenerator's file names, and a reliability diagram."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from classifier.evaluation import Estimate, Evaluation
from classifier.scores import Floats, Reliability
from core.files.atomic import write_bytes_atomic
from core.files.reading import DamagedFileError, read_input
from core.utils.palette import ACCENT, HAIRLINE, MUTED, PANEL, SERIES, TEXT, figure_png, style_axes

HISTORY_FILE = "training_history.csv"

Series = list[tuple[float, float]]


def read_history(path: Path) -> dict[str, Series]:
    """Return for every column its points (epoch, value); rows without a number are ignored, and so is no table."""
    try:
        text = read_input(path, what="a training's history").decode("utf-8", errors="replace")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except (FileNotFoundError, DamagedFileError, csv.Error):
        return {}
    columns = {name for row in rows for name in row if name is not None}
    return {name: _points(rows, name) for name in sorted(columns)}


def _points(rows: list[dict[str, str]], name: str) -> Series:
    numbered = [(_number(row, "epoch"), _number(row, name)) for row in rows]
    return [(epoch, value) for epoch, value in numbered if epoch is not None and value is not None]


def _number(row: Mapping[str, str | None], name: str) -> float | None:
    try:
        value = float(row.get(name) or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


History = Mapping[str, Series]

DPI: Final = 130
_SIZE: Final = (7.2, 4.6)
_SEQUENTIAL: Final = LinearSegmentedColormap.from_list("accent", [PANEL, ACCENT, "#06343a"])
_TRAINING: Final = {
    "loss": "cross-entropy",
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1_score": "F1",
}
_OVERALL: Final = {
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "top_3_accuracy": "true class in top 3",
    "precision_macro": "precision, macro",
    "precision_weighted": "precision, weighted",
    "f1_macro": "F1, macro",
    "f1_weighted": "F1, weighted",
    "specificity_mean": "specificity, mean",
    "auc_macro": "ROC AUC, mean",
}
_CLASS: Final = {"recall": "recall", "precision": "precision", "f1": "F1"}
_INTERVAL: Final = "Whiskers: 95 % interval, bootstrap of lesions."


def draw_plots(evaluation: Evaluation, history: History) -> dict[str, bytes]:
    """Return every figure as a PNG file, by file name; a training curve only where there is a history of it."""
    figures = {
        "confusion_matrix.png": _confusion(evaluation, normalised=False),
        "confusion_matrix_normalized.png": _confusion(evaluation, normalised=True),
        "per_class_metrics.png": _per_class(evaluation),
        "overall_test_metrics.png": _overall(evaluation),
        "specificity_per_class.png": _specificity(evaluation),
        "roc_curves.png": _roc(evaluation),
        "reliability_diagram.png": _reliability(evaluation),
    }
    for name, title in _TRAINING.items():
        if history.get(name) or history.get(f"val_{name}"):
            figures[f"training_{name.replace('_', '')}.png"] = _training(history, name, title)
    return {name: figure_png(figure) for name, figure in figures.items()}


def write_plots(folder: Path, plots: Mapping[str, bytes]) -> None:
    """Write the figures into a folder, which is made if it does not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in plots.items():
        write_bytes_atomic(folder / name, data)


def _new_figure(title: str, note: str = "", size: tuple[float, float] = _SIZE) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontsize=12, color=TEXT, pad=10)
    style_axes(axes)
    if note:
        figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=MUTED)
    return figure, axes


def _training(history: History, name: str, title: str) -> Figure:
    figure, axes = _new_figure(f"Training: {title}")
    lines = ((name, "training", SERIES[0], "--"), (f"val_{name}", "validation lesions", SERIES[1], "-"))
    for column, label, colour, style in lines:
        points = history.get(column, [])
        if points:
            axes.plot(
                *zip(*points, strict=True), style, color=colour, label=label, marker=_marker(points), markersize=4
            )
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=9, labelcolor=TEXT)
    return figure


def _marker(points: Series) -> str:
    return "o" if len(points) < 15 else ""


def _confusion(evaluation: Evaluation, *, normalised: bool) -> Figure:
    counts = evaluation.matrix.astype(float)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    title = "Confusion: share of each true class" if normalised else "Confusion: images"
    note = "Colour: share of the true class (row). Diagonal: right." if not normalised else "Rows add up to 100 %."
    figure, axes = _new_figure(title, note, (6.6, 6.0))
    axes.imshow(shares, cmap=_SEQUENTIAL, vmin=0, vmax=1)
    axes.grid(visible=False)
    _write_cells(axes, shares, evaluation.matrix.tolist() if not normalised else None, totals[:, 0])
    names = [f"{code} ({int(n)})" for code, n in zip(evaluation.classes, totals[:, 0], strict=True)]
    axes.set_xticks(range(len(names)), evaluation.classes)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true class (images)")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


def _write_cells(axes: Axes, shares: Floats, counts: Sequence[Sequence[int]] | None, totals: Floats) -> None:
    for (row, column), share in np.ndenumerate(shares):
        share_text = f"{share:.0%}" if totals[row] else "–"
        text = share_text if counts is None else str(counts[row][column])
        colour = PANEL if share > 0.45 else (MUTED if share < 0.005 else TEXT)
        weight = "bold" if row == column else "normal"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=10, weight=weight)


def _per_class(evaluation: Evaluation) -> Figure:
    figure, axes = _new_figure("Each class on held-out lesions", _INTERVAL, (8.4, 4.8))
    width = 0.8 / len(_CLASS)
    for number, (name, label) in enumerate(_CLASS.items()):
        estimates = [evaluation.per_class[code][name] for code in evaluation.classes]
        _bars(axes, estimates, number * width - 0.4 + width / 2, width, SERIES[number], label)
    _name_classes(axes, evaluation)
    axes.legend(frameon=False, ncols=len(_CLASS), loc="upper left", bbox_to_anchor=(0, 1.02), fontsize=9)
    axes.set_ylim(0, 1.14)
    return figure


def _specificity(evaluation: Evaluation) -> Figure:
    figure, axes = _new_figure("Specificity: others that are not taken for the class", _INTERVAL)
    estimates = [evaluation.per_class[code]["specificity"] for code in evaluation.classes]
    _bars(axes, estimates, 0, 0.6, SERIES[0], "specificity")
    for place, estimate in enumerate(estimates):
        if estimate.value is not None:
            axes.text(place, 0.03, f"{estimate.value:.3f}", ha="center", color=PANEL, fontsize=9)
    _name_classes(axes, evaluation)
    return figure


def _bars(axes: Axes, estimates: Sequence[Estimate], offset: float, width: float, colour: str, label: str) -> None:
    places = np.arange(len(estimates)) + offset
    axes.bar(places, [e.value or 0 for e in estimates], width * 0.92, color=colour, label=label)
    _whiskers(axes, places, estimates, vertical=True)


def _whiskers(axes: Axes, places: Floats, estimates: Sequence[Estimate], *, vertical: bool) -> None:
    for place, estimate in zip(places, estimates, strict=True):
        if estimate.low is None or estimate.high is None:
            continue
        draw: Callable[..., object] = axes.vlines if vertical else axes.hlines
        draw(place, estimate.low, estimate.high, color=TEXT, linewidth=1.3)


def _name_classes(axes: Axes, evaluation: Evaluation) -> None:
    names = [f"{code}\nn = {evaluation.class_images[code]}" for code in evaluation.classes]
    axes.set_xticks(range(len(names)), names)
    axes.set_ylim(0, 1.02)
    axes.grid(visible=False, axis="x")


def _overall(evaluation: Evaluation) -> Figure:
    figure, axes = _new_figure("All classes together, on held-out lesions", _INTERVAL, (8.0, 4.4))
    estimates = [evaluation.overall[name] for name in _OVERALL]
    places = np.arange(len(estimates), dtype=float)
    colours = [ACCENT, *["#9fb4b8"] * (len(estimates) - 1)]
    axes.barh(places, [e.value or 0 for e in estimates], 0.66, color=colours)
    _whiskers(axes, places, estimates, vertical=False)
    for place, estimate in zip(places, estimates, strict=True):
        axes.text(1.03, place, str(estimate), va="center", fontsize=9, color=TEXT)
    axes.set_yticks(places, list(_OVERALL.values()))
    axes.set_xlim(0, 1.38)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    return figure


def _roc(evaluation: Evaluation) -> Figure:
    figure, axes = _new_figure("ROC: each class against all others", size=(6.6, 6.2))
    axes.plot([0, 1], [0, 1], color=HAIRLINE, linewidth=1.2, zorder=1)
    for number, code in enumerate(evaluation.classes):
        if code in evaluation.curves:
            curve, area = evaluation.curves[code], evaluation.per_class[code]["auc"]
            colour, style = SERIES[number % len(SERIES)], ("-", "--", "-.")[number % 3]
            axes.plot(curve.fpr, curve.tpr, style, color=colour, linewidth=1.8, label=f"{code}  AUC {area}")
    axes.set_xlabel("false positive rate (1 − specificity)")
    axes.set_ylabel("true positive rate (recall)")
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    axes.set_aspect("equal")
    axes.legend(frameon=True, edgecolor=HAIRLINE, fontsize=9, loc="lower right", labelcolor=TEXT)
    return figure


def _reliability(evaluation: Evaluation) -> Figure:
    figure, axes = _new_figure(
        "Calibration: confidence and accuracy",
        "On the diagonal confidence equals accuracy; below it the classifier is too sure. Area of a dot: images.",
        (6.6, 6.2),
    )
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1.2, zorder=1)
    raw, after = evaluation.raw["ece"], evaluation.calibrated["ece"]
    _dots(axes, evaluation.raw_reliability, SERIES[1], f"as trained, ECE {raw}", "^")
    label = f"divided by temperature {evaluation.temperature:.2f}, ECE {after}"
    _dots(axes, evaluation.reliability, SERIES[0], label, "o")
    axes.set_xlabel("confidence: probability of the predicted class")
    axes.set_ylabel("accuracy: share that is right")
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_aspect("equal")
    axes.legend(frameon=True, edgecolor=HAIRLINE, fontsize=9, loc="best", labelcolor=TEXT, markerscale=0.6)
    return figure


def _dots(axes: Axes, diagram: Reliability, colour: str, label: str, marker: str) -> None:
    found = [(x, y, n) for x, y, n in zip(diagram.confidence, diagram.accuracy, diagram.count, strict=True) if n]
    x, y, count = (np.array(values, dtype=float) for values in zip(*found, strict=True))
    axes.plot(x, y, color=colour, linewidth=1.0, alpha=0.4)
    axes.scatter(x, y, 12 + 420 * count / count.sum(), color=colour, marker=marker, alpha=0.85, label=label)
