"""The picture of Time-SHAP: what each group of steps adds, how it changed the picture, and where that mattered."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from core.utils.palette import MUTED, TEXT, figure_png, style_axes
from xai.explanation import CHECK_RESULTS, GateLevel, signed
from xai.overlay import CLIP_PERCENTILE, OPACITY, SMOOTHING, blend_signed, grey
from xai.trajectory.analysis import ImageAnalysis
from xai.trajectory.canvas import bands, new_figure, show
from xai.trajectory.time_shap import TimeShap

MOST_SHOWN = 12
FOR, AGAINST = "#c2471f", "#3b6fb6"


def time_shap_figure(analysis: ImageAnalysis) -> bytes:
    """Return bars of the Shapley values, and below for each group its change of the picture and of the logit."""
    played = analysis.time_shap
    shown = min(len(played.groups), MOST_SHOWN)
    figure = new_figure(max(8.0, 1.35 * (shown + 1)), 6.6)
    upper, lower = bands(figure, 1.0, 1.25)
    _bars(upper.subplots(), analysis)
    _rows(lower, played, shown, analysis.gate.level)
    return figure_png(figure)


def _bars(axes: Axes, analysis: ImageAnalysis) -> None:
    played = analysis.time_shap
    values, errors = played.shapley.values, played.shapley.standard_error
    middles = [(first + last) / 2 for first, last in played.groups]
    widths = [last - first + 0.86 for first, last in played.groups]
    axes.bar(middles, values, widths, color=[FOR if value > 0 else AGAINST for value in values])
    if errors.any():
        axes.errorbar(middles, values, 2 * errors, fmt="none", ecolor=TEXT, capsize=3, linewidth=1)
    for middle, value in zip(middles, values, strict=True):
        axes.annotate(
            signed(value, 2), (middle, value), (0, 3 if value >= 0 else -11), textcoords="offset points", ha="center",
            fontsize=8, color=TEXT,
        )  # fmt: skip
    style_axes(axes)
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.margins(y=0.18)
    axes.set_xlim(0.4, played.groups[-1][1] + 0.6)
    axes.set_xticks(middles, [_span(group) for group in played.groups])
    axes.set_xlabel("denoising steps")
    axes.set_ylabel(f"logits of {analysis.class_code}")
    gain = played.full - played.empty
    axes.set_title(
        f"Time-SHAP: the groups add up to {signed(gain, 2)} = {signed(played.full, 2)} (this image) \u2212 "
        f"({signed(played.empty, 2)}) "
        "(all steps left out)" + ("; bars: 2 standard errors" if errors.any() else ""),
        fontsize=9.5, color=TEXT, loc="left",
    )  # fmt: skip


def _rows(figure: SubFigure, played: TimeShap, shown: int, level: GateLevel) -> None:
    grid = figure.subplots(2, shown + 1)
    show(grid[0, 0], played.neutral_picture, "all left out")
    show(grid[1, 0], played.picture, "this image")
    changes = played.pixel_shares[:shown]
    reach = float(np.percentile(np.abs(played.pixel_shares), CLIP_PERCENTILE)) or 1.0
    maps = np.stack([_smoothed(one) for one in played.logit_maps])
    scale = float(np.percentile(np.abs(maps), CLIP_PERCENTILE)) or 1.0
    ground = grey(played.picture)
    for number in range(shown):
        change = (0.5 + changes[number] / (2 * reach)).clip(0, 1) * 255
        show(grid[0, number + 1], change.astype(np.uint8), _span(played.groups[number]))
        strength = np.zeros_like(maps[number]) if level == "red" else maps[number] / scale
        show(grid[1, number + 1], blend_signed(ground, strength, OPACITY))
    below = f"where that raised (red) or lowered (blue) the logit (\u00b1{scale:.2g} logits per pixel)"
    if level == "red":
        below = "no map of the logit, because the reliability check failed"
    figure.supxlabel(
        f"Above: how each group changed the image (grey: not at all; \u00b1{reach:.2f} of full brightness).\n"
        f"Below: {below}. One scale per row. Reliability check: {CHECK_RESULTS[level]}.",
        fontsize=8, color=MUTED,
    )  # fmt: skip


def _span(group: tuple[int, int]) -> str:
    first, last = group
    return str(first) if first == last else f"{first}\u2013{last}"


def _smoothed(values: NDArray[np.float32]) -> NDArray[np.float64]:
    smoothed: NDArray[np.float64] = gaussian_filter(values.astype(np.float64), SMOOTHING * max(values.shape))
    return smoothed
