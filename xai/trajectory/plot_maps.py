"""Pictures of the maps of a trajectory: every step on the shared scale of its method, with its regions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.utils.palette import figure_png
from xai.explanation import FACTS, Explanation
from xai.figure import png_bytes
from xai.overlay import render_marked, render_overlay, shared_scale
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
    figure = new_figure(2.55 * panels, 2.9)
    noisy, picture, *overlays = figure.subplots(1, panels)
    show(noisy, item.frame.noisy_picture, f"step {item.frame.step} (t = {item.frame.name}): x_t")
    show(picture, item.frame.picture, "predicted picture, regions")
    outline(picture, item.top)
    outline(picture, item.bottom, dotted=True)
    for axes, found in zip(overlays, item.maps, strict=True):
        show(axes, render_marked(found, scale=scale[found.method]), _title(found, scale[found.method]))
    return figure_png(figure)


def marked_overlay(found: Explanation, scale: float | None) -> bytes:
    """Return one map over its picture, with the gate's mark."""
    return png_bytes(render_marked(found, scale=scale))


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
        show(axes, render_overlay(cam(item), scale=scale), f"step {item.frame.step} (t = {item.frame.name})")
    found = cam(analysis.last)
    cell = "" if found.cell is None else f"; one cell is {found.cell[1]:.0f} x {found.cell[0]:.0f} pixels"
    figure.supxlabel(f"{FACTS[CAM].title}, one scale for all{cell}", fontsize=8.5)
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


def _title(found: Explanation, scale: float | None) -> str:
    facts = FACTS[found.method]
    return facts.title if scale is None else f"{facts.title}, \u00b1{scale:.2g}"
