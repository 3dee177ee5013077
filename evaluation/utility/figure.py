"""The differences as a picture: where an interval crosses the line, nothing can be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from core.utils.palette import MUTED, SERIES, TEXT, figure_png, style_axes
from evaluation.utility.statistics import Difference


def differences_figure(found: Sequence[Difference], titles: Mapping[str, str]) -> bytes:
    """Draw each difference in points with its interval, and the line of no difference."""
    shown = [difference for difference in found if difference.interval.value is not None]
    figure = Figure(figsize=(8, 1.1 + 0.32 * len(shown)), layout="constrained")
    axes = figure.add_subplot()
    style_axes(axes)
    axes.axvline(0, color=MUTED, linewidth=1)
    for row, difference in enumerate(reversed(shown)):
        interval = difference.interval
        color = SERIES[0] if difference.call == "better" else TEXT if difference.call == "worse" else MUTED
        if interval.low is not None and interval.high is not None:
            axes.plot([100 * interval.low, 100 * interval.high], [row, row], color=color, linewidth=2)
        axes.plot([100 * (interval.value or 0.0)], [row], "o", color=color)
    axes.set_yticks(range(len(shown)), [f"{titles[d.arm]}  -  {titles[d.than]}" for d in reversed(shown)])
    axes.set_xlabel("percentage points of balanced accuracy\n(95 % CI)")
    return figure_png(figure)
