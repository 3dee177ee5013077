"""Every picture of one image's analysis by its file name; the names are ISICGenerator's where it had one.

Figures are drawn without matplotlib's global state. Maps are on the shared scale of their method, with their regions;
every measured value is a mark; the mosaic shows the steps, and Time-SHAP what each group of steps adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from core.utils.palette import MUTED, PANEL, SERIES, TEXT, figure_png, style_axes
from xai.comparison import BAR_GROUND
from xai.explanation import CHECK_RESULTS, Explanation, GateLevel, signed
from xai.figure import png_bytes, render_figure
from xai.methods import METHODS
from xai.overlay import (
    CLIP_PERCENTILE,
    OPACITY,
    SMOOTHING,
    blend_signed,
    colour_ramp,
    grey,
    render_marked,
    shared_scale,
    why_no_map,
)
from xai.trajectory.analysis import ExplainedFrame, ImageAnalysis
from xai.trajectory.folders import Picture
from xai.trajectory.shift import INTERVENTIONS, TITLES, Shift, change
from xai.trajectory.time_shap import TimeShap

DPI: Final = 110

Shown = NDArray[np.uint8] | Image.Image


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of so many inches; it is freed with its last reference, unlike pyplot's."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor=PANEL, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def bands(figure: Figure, *heights: float) -> list[SubFigure]:
    """Divide a figure into bands, from top to bottom, of these relative heights."""
    return list(figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False).ravel())


def show(axes: Axes, picture: Shown, title: str = "") -> None:
    """Show a picture without a frame, pixels as squares where it is enlarged."""
    shown = np.asarray(picture)
    axes.imshow(shown, interpolation="nearest" if shown.shape[0] <= 256 else "antialiased")
    axes.set_axis_off()
    if title:
        axes.set_title(title, fontsize=8.5, color=MUTED, loc="left", parse_math=False)


def outline(axes: Axes, mask: NDArray[np.bool_], *, dotted: bool = False) -> None:
    """Draw the border of a region in white on black, dotted or not."""
    padded = np.pad(mask, 1).astype(float)
    across = (np.arange(-1, mask.shape[1] + 1), np.arange(-1, mask.shape[0] + 1))
    style = ":" if dotted else "-"
    axes.contour(*across, padded, levels=[0.5], colors="black", linewidths=2.0, linestyles=style)
    axes.contour(*across, padded, levels=[0.5], colors="white", linewidths=1.0, linestyles=style)


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


COLUMNS: Final = 10
GAP: Final = 2
_MOST_TICKS: Final = 21


def mosaic(analysis: ImageAnalysis) -> bytes:
    """Return all kept steps, x_t above the predicted picture, in rows of at most ten with gaps of two pixels."""
    frames = analysis.frames
    height, width = frames[0].picture.shape[:2]
    columns = min(COLUMNS, len(frames))
    rows = -(-len(frames) // columns)
    sheet = Image.new("RGB", (columns * (width + GAP) - GAP, rows * 2 * (height + GAP) - GAP), "white")
    for number, frame in enumerate(frames):
        left, top = number % columns * (width + GAP), number // columns * 2 * (height + GAP)
        sheet.paste(Image.fromarray(frame.noisy_picture), (left, top))
        sheet.paste(Image.fromarray(frame.picture), (left, top + height + GAP))
    return png_bytes(sheet)


def probabilities(analysis: ImageAnalysis) -> bytes:
    """Return the classifier's probabilities for the predicted picture of every kept step."""
    figure = new_figure(8, 3.2)
    axes = figure.subplots()
    steps = [frame.step for frame in analysis.frames]
    final = analysis.probabilities[-1]
    named = sorted(range(len(final)), key=lambda i: -analysis.probabilities[:, i].max())[: len(SERIES)]
    for number, index in enumerate(sorted(named, key=lambda i: -final[i])):
        own = index == analysis.target.index
        axes.plot(
            steps,
            analysis.probabilities[:, index],
            marker="o",
            markersize=4,
            linewidth=2.4 if own else 1.2,
            color=SERIES[number],
            label=f"{analysis.classifier.classes[index]}{' (target)' if own else ''}",
        )
    _label(axes, steps)
    return figure_png(figure)


def _label(axes: Axes, steps: list[int]) -> None:
    style_axes(axes)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xticks(steps if len(steps) <= _MOST_TICKS else steps[:: -(-len(steps) // _MOST_TICKS)])
    axes.set_xlim(0, max(steps) + 0.5)
    axes.set_xlabel("denoising step")
    axes.set_ylabel("probability of the predicted picture")
    axes.legend(frameon=False, fontsize=8, labelcolor=TEXT, loc="center left", bbox_to_anchor=(1.0, 0.5))


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


_SUFFIXES = {"ig": "IG", "shapley": "SHAP"}


def pictures_of_image(analysis: ImageAnalysis) -> dict[str, Picture]:
    """Return what draws each picture; nothing is drawn yet."""
    return {
        "trajectory_all_steps.png": partial(mosaic, analysis),
        "probabilities_over_time.png": partial(probabilities, analysis),
        "time_shap_analysis.png": partial(time_shap_figure, analysis),
        **_pictures_of_steps(analysis),
        **(_pictures_of_cam(analysis) if CAM in scales(analysis) else {}),
        "statistical_analysis.png": partial(single_image_figure, analysis),
    }


def _pictures_of_steps(analysis: ImageAnalysis) -> dict[str, Picture]:
    scale, seed = scales(analysis), analysis.source.planned.seed
    found: dict[str, Picture] = {}
    for item in analysis.explained:
        name = f"xai_step_t_{item.frame.name}"
        found[f"{name}.png"] = partial(step_panels, item, scale)
        for one in item.maps:
            if one.method != CAM:
                suffix = _SUFFIXES.get(one.method, one.method)
                found[f"{name}_{suffix}.png"] = partial(map_figure, one, scale[one.method], item.frame.step)
        found[f"interventions_t_{item.frame.name}.png"] = partial(interventions_figure, item, seed)
    return found


def _pictures_of_cam(analysis: ImageAnalysis) -> dict[str, Picture]:
    scale, important = scales(analysis)[CAM], most_important(analysis)
    each: dict[str, Picture] = {
        f"gradcam_t_{item.frame.name}.png": partial(marked_overlay, cam(item), scale) for item in analysis.explained
    }
    return {
        **each,
        f"gradcam_most_important_t{important.frame.name}.png": partial(marked_overlay, cam(important), scale),
        "gradcam_summary_all_timesteps.png": partial(cam_summary, analysis),
        "gradcam_overview.png": partial(cam_overview, analysis),
    }
