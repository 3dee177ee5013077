"""The report on several images: verdict, plots, tables, and links to the images' own pages.

In the plots, every image's value is a dot, with the mean and its interval next to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from core.utils.palette import MUTED, SERIES, TEXT, figure_png, style_axes
from reports.model import Block, Details, Heading, Paragraph, Report, Section, Span, Table
from xai.explanation import signed
from xai.trajectory.folders import REPORT_FILE, Drawn
from xai.trajectory.image_page import pictures
from xai.trajectory.plots import ROWS, new_figure
from xai.trajectory.shift import FORMULA, INTERVENTIONS, TITLES
from xai.trajectory.summary import ENOUGH, Row, Summary
from xai.trajectory.words import LOGIT, family_words, verdict_of_summary

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
        axes.set_xlabel(f"logits; dots: images, bars: mean, 95 % CI (n ≥ {ENOUGH})")
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


_HEAD = (
    "class", "intervention", "n", "mean", "95 % CI", "Wilcoxon p", "Holm p", "permutation p", "Welch p",
    "rank-biserial", "Cohen's d",
)  # fmt: skip


def report_on_images(summary: Summary, drawn: Drawn, parts: Sequence[str]) -> Report:
    """Return the report on several images.

    Parameters
    ----------
    parts
        Names of the images' folders.
    """
    verdict = [Paragraph(sentence) for sentence in verdict_of_summary(summary)]
    controls = Details("In numbers", list(_control_tables(summary)))
    sections = [
        Section("Verdict", [*verdict, Paragraph(LOGIT, "muted")]),
        _plot(drawn, "Does the marked region matter?", "statistical_analysis.png", f"{FORMULA}."),
        _plot(drawn, "When does the class appear in the images?", "time_shap_summary.png", _TIMES),
        Section("Tests over the images", list(_tables(summary))),
        Section("Negative controls and comparison maps", [Paragraph(_CONTROLS, "muted"), controls]),
        Section("The images", [Paragraph(Span(name, "link", f"{name}/{REPORT_FILE}")) for name in parts]),
    ]
    return Report(f"Trajectories of {sum(summary.images.values())} images", (), sections)


_TIMES = (
    "Mean Shapley values over the images of a class: what a group of steps adds to the logit of the class. Lines: 95 % "
    f"bootstrap CIs, from {ENOUGH} images on."
)
_COLUMNS = (
    "Means are in logits; above 0 the marked region changes the logit more. Rank-biserial correlation is between "
    "\u22121 and 1, Cohen's d is the mean over the standard deviation, the Welch test ignores the pairing. "
    f"Fewer than {ENOUGH} images have no CI: it would be too narrow."
)
_CONTROLS = (
    "The true value of a negative control is 0 for every classifier: a random map marks no place more than another, "
    "two heads with permuted weights are exchangeable, and so are a class and another in random order. A control that "
    "differs from zero shows that the measurement is biased. A comparison map need not be zero: the map of a head with "
    "permuted weights and the effect on another class show the CSI of any map that finds the lesion, the part that is "
    "not specific to this map and this class."
)


def _plot(drawn: Drawn, title: str, name: str, words: str) -> Section:
    return Section(title, [Paragraph(words, "muted"), *pictures(drawn, [name], title)])


def _tables(summary: Summary) -> Iterator[Block]:
    yield Paragraph(f"{family_words(summary.rows)} {_COLUMNS}", "muted")
    for contrast, title in CONTRAST_TITLES.items():
        yield Heading(title)
        rows = [_cells(row) for row in summary.family() if row.contrast == contrast]
        yield Table(_HEAD, rows, words=frozenset({0, 1}))


def _control_tables(summary: Summary) -> Iterator[Block]:
    yield _control_table([row for row in summary.rows if row.map_row != "own"])
    yield Heading("The map itself minus a random map and minus the comparison maps")
    yield _control_table(summary.beyond)


def _control_table(rows: Sequence[Row]) -> Table:
    cells = [(ROWS[row.map_row], CONTRAST_TITLES[row.contrast], *_cells(row)) for row in rows]
    return Table(("map", "contrast", *_HEAD), cells, words=frozenset({0, 1, 2, 3}))


def _cells(row: Row) -> Sequence[str]:
    found = row.result
    interval = f"{signed(found.low)} to {signed(found.high)}" if row.is_judged else "\u2013"
    p_values = (found.wilcoxon_p, found.holm_p, found.permutation_p, found.welch_p)
    return (
        row.class_code,
        TITLES[row.intervention],
        str(found.n),
        signed(found.mean),
        interval,
        *(_p(value) for value in p_values),
        signed(found.rank_biserial),
        signed(found.cohens_d),
    )


def _p(value: float | None) -> str:
    if value is None:
        return "\u2013"
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
