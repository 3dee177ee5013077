"""The figures of an evaluation, as PNG files on white."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from core.utils.palette import MUTED, SERIES, figure_png, style_axes
from evaluation.spaces import kernel_name
from measures.kid import Kid
from measures.prdc import NAMES, Prdc

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH: Final = 7.2
DPI: Final = 110


def kid_figure(space: str, rows: Mapping[str, tuple[Kid | None, Kid | None]]) -> bytes:
    """Draw kernel distances with their intervals beside what real photographs reach, a row for each class."""
    shown = {name: pair for name, pair in rows.items() if pair[0] is not None}
    figure, axes = _figure(1.1 + 0.42 * max(1, len(shown)))
    _draw_kids(axes, [kid for kid, _ in reversed(shown.values())], 0.12, SERIES[0], "synthetic")
    _draw_kids(axes, [floor for _, floor in reversed(shown.values())], -0.12, MUTED, "real")
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.set_yticks(range(len(shown)), list(reversed(shown)))
    axes.set_xlabel(f"{kernel_name(space)} in {space}, lower is better")
    if shown:
        _legend(axes)
    return figure_png(figure)


def _draw_kids(axes: Axes, rows: Sequence[Kid | None], offset: float, color: str, label: str) -> None:
    found = [(place + offset, kid) for place, kid in enumerate(rows) if kid is not None]
    if found:
        values = np.array([(kid.value, kid.low, kid.high) for _, kid in found])
        width = np.abs(values[:, 1:] - values[:, :1]).T
        places = [place for place, _ in found]
        axes.errorbar(values[:, 0], places, xerr=width, fmt="o", color=color, markersize=5, linewidth=2, label=label)


def prdc_figure(space: str, value: Prdc, reference: Prdc) -> bytes:
    """Draw the four numbers of a synthetic set beside those of real photographs at the same n."""
    figure, axes = _figure(2.4)
    places = np.arange(len(NAMES))
    for offset, found, color, label in ((-0.18, value, SERIES[0], "synthetic"), (0.18, reference, MUTED, "real")):
        axes.bar(places + offset, list(found.to_json().values()), 0.34, color=color, label=label)
    axes.set_xticks(places, NAMES)
    axes.set_ylabel(space, fontsize=8)
    _legend(axes)
    return figure_png(figure)


def cloud_figure(space: str, synthetic: NDArray[np.float64], real: NDArray[np.float64]) -> bytes:
    """Draw both sets in the two directions in which the real photographs differ most."""
    centre = real.mean(0)
    _, _, axes_of_real = np.linalg.svd(real - centre, full_matrices=False)
    figure, axes = _figure(3.4)
    for features, color, label in ((real, MUTED, "real"), (synthetic, SERIES[0], "synthetic")):
        seen = (features - centre) @ axes_of_real[:2].T
        axes.scatter(seen[:, 0], seen[:, -1], s=8, color=color, alpha=0.6, linewidths=0, label=label)
    axes.set_xlabel(f"first and second principal component of the real photographs in {space}")
    _legend(axes)
    return figure_png(figure)


def matrix_figure(counts: NDArray[np.int64], classes: Sequence[str]) -> bytes:
    """Draw a confusion matrix in shares of the rows: target classes down, predicted classes across."""
    figure, axes = _figure(3.6, width=4.4)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, vmin=0, vmax=1, cmap="cividis")
    for row, column in np.ndindex(counts.shape):
        color = "black" if shares[row, column] > 0.6 else "white"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=8, color=color)
    axes.set_xticks(range(len(classes)), classes, fontsize=8)
    axes.set_yticks(range(len(classes)), classes, fontsize=8)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("target class")
    axes.grid(visible=False)
    return figure_png(figure)


def histogram_figure(values: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]) -> bytes:
    """Draw the distribution of some numbers in the synthetic and the real set, side by side."""
    columns = len(values)
    figure = Figure(figsize=(WIDTH, 1.9), dpi=DPI, layout="constrained")
    for axes, (name, (synthetic, real)) in zip(
        figure.subplots(1, columns, squeeze=False)[0], values.items(), strict=True
    ):
        style_axes(axes)
        low, high = np.percentile(np.concatenate([synthetic, real]), (0.5, 99.5))
        bins = np.linspace(low, high if high > low else low + 1, 24)
        for sample, color, label in ((real, MUTED, "real"), (synthetic, SERIES[0], "synthetic")):
            axes.hist(np.clip(sample, bins[0], bins[-1]), bins, density=True, histtype="step", color=color, label=label)
        axes.set_title(name, fontsize=8)
        axes.set_yticks([])
        axes.tick_params(labelsize=7)
    _legend(figure.axes[0])
    return figure_png(figure)


def _legend(axes: Axes) -> None:
    """Explain the colours above the plot, where no data are."""
    axes.figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=2, frameon=False, fontsize=8)


def _figure(height: float, width: float = WIDTH) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    style_axes(axes)
    return figure, axes
