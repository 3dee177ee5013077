"""Pictures of the maps of a trajectory: every step on the shared scale of its method, with its regions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes

from core.utils.palette import MUTED, figure_png
from xai.comparison import BAR_GROUND
from xai.explanation import Explanation
from xai.figure import png_bytes, render_figure
from xai.methods import METHODS
from xai.overlay import OPACITY, colour_ramp, render_marked, shared_scale, why_no_map
from xai.trajectory.analysis import ExplainedFrame, ImageAnalysis
from xai.trajectory.canvas import new_figure, outline, show

CAM = "gradcam"


def scales(analysis: ImageAnalysis) -> dict[str, float | None]:
    """Return for each method the value at which the colours of all its maps of this trajectory saturate."""
    found = {}
    for position, first in enumerate(analysis.explained[0].maps):
        found[first.method] = shared_scale([item.maps[position] for item in analysis.explained]) or None
    return found


def step_panels(item: ExplainedFrame, scale: dict[str, float | None]) -> bytes:
    """Return one step in a row: x_t, the predicted picture with its regions, and the overlay of each method."""
    panels = 2 + len(item.maps)
    figure = new_figure(2.55 * panels, 3.3)
    (noisy, picture, *overlays), bars = figure.subplots(2, panels, height_ratios=(1, 0.035))
    show(noisy, item.frame.noisy_picture, f"step {item.frame.step} (t = {item.frame.name}): x_t")
    show(picture, item.frame.picture, "predicted picture, regions")
    outline(picture, item.top)
    outline(picture, item.bottom, dotted=True)
    for axes in bars:
        axes.set_axis_off()
    for axes, bar, found in zip(overlays, bars[2:], item.maps, strict=True):
        show(axes, render_marked(found, scale=scale[found.method]), METHODS[found.method].title)
        _colour_bar(bar, found, scale[found.method])
    return figure_png(figure)


def marked_overlay(found: Explanation, scale: float | None) -> bytes:
    """Return one map over its picture, with the gate's mark."""
    return png_bytes(render_marked(found, scale=scale))


def map_figure(found: Explanation, scale: float | None, step: int) -> bytes:
    """Return one map of a step with its picture, colour bar, gate and the classifier's answer."""
    heading = "   \u00b7   ".join((f"predicted picture of step {step}", *found.notes[:1]))
    return png_bytes(render_figure(replace(found, notes=(heading, *found.notes[1:])), scale=scale))


def cam_overview(analysis: ImageAnalysis) -> bytes:
    """Return the GradCAM overlays of all explained steps side by side."""
    scale = scales(analysis)[CAM]
    columns = min(5, len(analysis.explained))
    rows = -(-len(analysis.explained) // columns)
    figure = new_figure(2.3 * columns, 2.6 * rows)
    grid = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, item in zip(grid, analysis.explained, strict=False):
        show(axes, render_marked(cam(item), scale=scale), f"step {item.frame.step} (t = {item.frame.name})")
    found = cam(analysis.last)
    cell = "" if found.cell is None else f"; one cell is {found.cell[1]:.0f} x {found.cell[0]:.0f} pixels"
    figure.supxlabel(f"{METHODS[CAM].title}, one scale for all{cell}", fontsize=8.5)
    return figure_png(figure)


def cam_summary(analysis: ImageAnalysis) -> bytes:
    """Return the mean GradCAM map of all explained steps over the finished image."""
    mean = np.stack([cam(item).attribution for item in analysis.explained]).mean(axis=0)
    return png_bytes(render_marked(replace(cam(analysis.last), attribution=mean)))


def most_important(analysis: ImageAnalysis) -> ExplainedFrame:
    """Return the explained step that is nearest to the middle of the group with the largest Shapley value."""
    played = analysis.time_shap
    first, last = played.groups[int(np.argmax(np.abs(played.shapley.values)))]
    return min(analysis.explained, key=lambda item: abs(item.frame.step - (first + last) / 2))


def cam(item: ExplainedFrame) -> Explanation:
    """Return the GradCAM map of a step."""
    return next(found for found in item.maps if found.method == CAM)


def _colour_bar(axes: Axes, found: Explanation, scale: float | None) -> None:
    """Draw a colour bar below an overlay: from what speaks against the class to what speaks for it."""
    if scale is None or why_no_map(found) is not None:
        return
    colours = colour_ramp("signed", 256, BAR_GROUND, OPACITY)[None].repeat(2, axis=0)
    axes.set_axis_on()
    axes.imshow(colours, aspect="auto", extent=(-scale, scale, 0.0, 1.0))
    axes.set_yticks([])
    axes.set_xticks((-scale, 0.0, scale), (f"\u2212{scale:.2g}  against", "0", f"+{scale:.2g}  for"))
    first, _, last = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    axes.tick_params(labelsize=7.5, colors=MUTED, length=2)
    axes.set_xlabel(METHODS[found.method].unit, fontsize=7.5, color=MUTED)
    axes.spines[:].set_visible(False)
