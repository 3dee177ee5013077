"""Pictures of the interventions: what was changed, and how far the logit moved, every measured value as a mark."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from core.utils.palette import MUTED, SERIES, TEXT, figure_png, style_axes
from xai.trajectory.analysis import ExplainedFrame, ImageAnalysis
from xai.trajectory.canvas import bands, new_figure, outline, show
from xai.trajectory.interventions import INTERVENTIONS, TITLES
from xai.trajectory.shift import Shift, change

ROWS = {
    "own": "this map, this class",
    "random_attribution": "control: random map",
    "random_head": "control: two permuted heads",
    "permuted_labels": "control: swapped classes",
    "shuffled_head_map": "comparison: permuted head",
    "other_class_effect": "comparison: another class",
}
"""Every row with its name in plots and tables: the map itself, the negative controls, the comparison maps."""


def interventions_figure(item: ExplainedFrame, seed: int) -> bytes:
    """Return the picture with its regions, the four changes of the top region, and |dF| of all regions."""
    figure = new_figure(11, 5.2)
    upper, lower = bands(figure, 1.15, 1.0)
    first, *others = upper.subplots(1, 1 + len(INTERVENTIONS))
    show(first, item.frame.picture, f"step {item.frame.step}: top (line), bottom (dots)")
    outline(first, item.top)
    outline(first, item.bottom, dotted=True)
    for number, (axes, name) in enumerate(zip(others, INTERVENTIONS, strict=True)):
        changed = change(name, item.frame.picture / 255.0, item.top, (seed, 1 + number, 0))
        show(axes, np.rint(changed * 255).astype(np.uint8), f"top region: {TITLES[name]}")
    _shifts(lower.subplots(), item.shifts)
    return figure_png(figure)


def single_image_figure(analysis: ImageAnalysis) -> bytes:
    """Return CSI and top minus random of one image, its controls and rivals: measurements, no statistics."""
    figure = new_figure(11, 3.4)
    left, right = figure.subplots(1, 2, sharey=True)
    rows = {"own": analysis.last.shifts, **analysis.controls.rows()}
    for axes, measure, title in (
        (left, "csi", "CSI: top \u2212 bottom"),
        (right, "control", "top \u2212 random places"),
    ):
        for row, name in enumerate(ROWS):
            for number, (kind, shift) in enumerate(rows[name].items()):
                axes.plot(
                    getattr(shift, measure), row, "o", color=SERIES[number], markersize=8 if name == "own" else 5,
                    label=TITLES[kind] if row == 0 else None, alpha=1.0 if name == "own" else 0.7,
                )  # fmt: skip
        style_axes(axes)
        axes.axvline(0, color=MUTED, linewidth=0.8)
        axes.set_title(f"{title}; one image, n = 1, no test", fontsize=9.5, loc="left", color=TEXT)
        axes.set_xlabel("logits")
    left.set_yticks(range(len(ROWS)), list(ROWS.values()))
    left.set_ylim(len(ROWS) - 0.5, -0.5)
    right.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure_png(figure)


def _shifts(axes: Axes, shifts: Mapping[str, Shift]) -> None:
    for number, shift in enumerate(shifts.values()):
        spread = np.linspace(-0.12, 0.12, len(shift.rivals)) if len(shift.rivals) > 1 else np.zeros(1)
        _marks(axes, number + 0.22 + spread, shift.rivals, MUTED, "the top region at random places", number)
        _marks(axes, number - 0.22 + np.zeros(len(shift.bottom)), shift.bottom, SERIES[0], "bottom", number)
        _marks(axes, number - 0.0 + np.zeros(len(shift.top)), shift.top, SERIES[1], "top", number)
    axes.set_xticks(range(len(shifts)), [TITLES[name] for name in shifts])
    axes.set_ylabel("|dF|, logits")
    axes.set_ylim(bottom=0)
    style_axes(axes)
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _marks(axes: Axes, x: np.ndarray, values: tuple[float, ...], colour: str, label: str, number: int) -> None:
    absolute = np.abs(values)
    axes.plot(x, absolute, "o", color=colour, markersize=4.5, alpha=0.65, label=label if number == 0 else None)
    axes.hlines(absolute.mean(), x.min() - 0.07, x.max() + 0.07, color=colour, linewidth=2)
