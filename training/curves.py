"""The curves of several runs in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.utils.palette import SERIES, TEXT, figure_png, style_axes
from training.experiments import RunDetails
from training.run_folder import series

PANELS: Final = (
    ("loss", "training loss"),
    ("val_loss", "validation loss"),
    ("val_balanced_accuracy", "validation balanced accuracy"),
    ("kid", "kernel distance to held-out lesions"),
)
_STYLES: Final = ("-", "--", ":", "-.")


def draw_curves(runs: Sequence[RunDetails]) -> bytes:
    """Return a PNG file with one panel for each measure that any of the runs has, against training images seen."""
    panels = [panel for panel in PANELS if any(series(details.rows, panel[0])[0] for details in runs)]
    figure = Figure(figsize=(5.5 * max(1, len(panels)), 4.2 + 0.22 * len(runs)), dpi=120, layout="constrained")
    if not panels:
        figure.text(0.5, 0.5, "None of these runs has measured anything yet.", ha="center", color=TEXT)
        return figure_png(figure)
    for axes, (column, title) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw_panel(axes, runs, column, title)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", frameon=False, fontsize=9, labelcolor=TEXT)
    return figure_png(figure)


def _draw_panel(axes: Axes, runs: Sequence[RunDetails], column: str, title: str) -> None:
    for number, details in enumerate(runs):
        images, values = series(details.rows, column)
        style = _STYLES[number // len(SERIES) % len(_STYLES)]
        axes.plot(images, values, style, color=SERIES[number % len(SERIES)], label=details.run.name, linewidth=1.8)
    axes.set_title(title, loc="left", fontsize=10, color=TEXT)
    axes.set_xlabel("training samples seen")
    style_axes(axes)
