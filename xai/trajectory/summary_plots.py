"""Pictures of the summary: every image's value as a dot, the mean with its interval beside them."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes

from core.utils.palette import MUTED, SERIES, TEXT, figure_png, style_axes
from xai.trajectory.canvas import new_figure
from xai.trajectory.interventions import INTERVENTIONS, TITLES
from xai.trajectory.plot_shift import ROWS
from xai.trajectory.row import ENOUGH, Row
from xai.trajectory.summary import Summary

_SPACING: Final = 0.14
_QUIET: Final = ("#a9b0b7", "#8f98a1", "#717a83", "#6b8fae", "#9b8a5a")
"""Colours of the controls, which are to be nothing, and of the two rivals."""

CONTRAST_TITLES = {"csi": "CSI: top \u2212 bottom", "top_minus_random": "top \u2212 random places"}


def statistics_figure(summary: Summary) -> bytes:
    """Return one panel for each class and contrast; rows are interventions, colours the map, controls and rivals."""
    classes = list(dict.fromkeys(row.class_code for row in summary.rows))
    figure = new_figure(11, 1.1 + 3.1 * len(classes))
    grid = figure.subplots(len(classes), len(CONTRAST_TITLES), squeeze=False, sharex="col")
    for line, code in zip(grid, classes, strict=True):
        for axes, (contrast, title) in zip(line, CONTRAST_TITLES.items(), strict=True):
            _panel(axes, [row for row in summary.rows if row.class_code == code and row.contrast == contrast])
            number = summary.images.get(code, sum(summary.images.values()))
            axes.set_title(f"{code}, n = {number}: {title}", fontsize=9.5, loc="left", color=TEXT)
    for axes in grid[-1]:
        axes.set_xlabel(f"logits; dots: images, bars: mean, 95 % interval (n ≥ {ENOUGH})")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=8.5)
    return figure_png(figure)


def times_figure(summary: Summary) -> bytes:
    """Return the mean Shapley value of every group of steps, one panel for each class."""
    classes = list(summary.images)
    columns = min(4, len(classes))
    lines = -(-len(classes) // columns)
    figure = new_figure(2.9 * columns, 2.7 * lines)
    grid = figure.subplots(lines, columns, squeeze=False, sharey=True).ravel()
    for axes in grid[len(classes) :]:
        axes.set_axis_off()
    for axes, code in zip(grid, classes, strict=False):
        groups = [group for group in summary.times if group.class_code == code]
        middles = [(group.first_step + group.last_step) / 2 for group in groups]
        widths = [group.last_step - group.first_step + 0.86 for group in groups]
        axes.bar(middles, [group.mean for group in groups], widths, color=SERIES[0], alpha=0.75)
        for middle, group in zip(middles, groups, strict=True):
            if group.n >= ENOUGH and group.low is not None and group.high is not None:
                axes.vlines(middle, group.low, group.high, color=TEXT, linewidth=1.6)
        style_axes(axes)
        axes.axhline(0, color=MUTED, linewidth=0.8)
        axes.set_title(f"{code}, n = {summary.images[code]}", fontsize=9.5, loc="left", color=TEXT)
        axes.set_xlabel("denoising steps")
    grid[0].set_ylabel("mean Shapley value, logits")
    return figure_png(figure)


def _panel(axes: Axes, rows: list[Row]) -> None:
    for line, name in enumerate(INTERVENTIONS):
        for number, (map_row, label) in enumerate(ROWS.items()):
            row = next(r for r in rows if r.intervention == name and r.map_row == map_row)
            height = line + (number - (len(ROWS) - 1) / 2) * _SPACING
            colour = SERIES[1] if number == 0 else _QUIET[number - 1]
            faint = min(0.45, 10 / len(row.values))  # many dots must not hide the bar
            axes.plot(
                row.values, np.full(len(row.values), height), "o", color=colour, markersize=3, alpha=faint, mec="none"
            )
            axes.plot(
                row.result.mean, height, "|", color=colour, markersize=9, markeredgewidth=2, label=_once(label, line)
            )
            if row.is_judged and row.result.low is not None and row.result.high is not None:
                axes.hlines(height, row.result.low, row.result.high, color=colour, linewidth=3, zorder=3)
    style_axes(axes)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.set_yticks(range(len(INTERVENTIONS)), [TITLES[name] for name in INTERVENTIONS])
    axes.set_ylim(len(INTERVENTIONS) - 0.5, -0.5)


def _once(label: str, line: int) -> str | None:
    return label if line == 0 else None
