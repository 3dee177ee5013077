"""The figure of one explanation: image, map with colour bar, predicted probabilities, and the reliability check."""

from __future__ import annotations

import io
import textwrap
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from core.files.text import plain
from core.taxonomy import CLASS_INDEX, class_name
from core.utils.palette import ACCENT, HAIRLINE, MUTED, PANEL, TEXT
from xai.baselines import BASELINES
from xai.comparison import BAR_GROUND
from xai.explanation import Explanation, Style, signed
from xai.gate import delta_level
from xai.methods import METHODS
from xai.overlay import (
    CLIP_PERCENTILE,
    MARKS,
    OPACITY,
    SMOOTHING,
    colour_ramp,
    draw_icon,
    enlargement,
    render_overlay,
    shared_scale,
    why_no_map,
)

DPI: Final = 120
_QUIET_BAR: Final = "#c3c9cf"
_MAX_BARS: Final = 8
_VERDICT_LINES: Final = 3
_LINE: Final = 170
"""Letters of small print that fit into a line."""


def render_figure(explanation: Explanation, *, scale: float | None = None, style: Style = "signed") -> Image.Image:
    """Return the figure, 1320 x 720 pixels: what is needed to read the map, in one picture.

    Parameters
    ----------
    scale, style
        As in `render_overlay`.
    """
    scale = scale or shared_scale([explanation])
    figure = Figure(figsize=(11, 6), dpi=DPI, facecolor=PANEL)
    canvas = FigureCanvasAgg(figure)
    _draw_title(figure, explanation)
    picture = figure.add_axes((0.03, 0.334, 0.28, 0.513))
    _draw_picture(picture, Image.fromarray(explanation.image), "image")
    _draw_superpixels(picture, explanation)
    overlay = render_overlay(explanation, scale=scale, style=style)
    _draw_picture(figure.add_axes((0.325, 0.334, 0.28, 0.513)), overlay, _TITLES[style])
    _draw_gap(figure, explanation)
    if why_no_map(explanation) is None:
        _draw_colour_bar(figure.add_axes((0.617, 0.361, 0.013, 0.459)), METHODS[explanation.method].unit, scale, style)
    _draw_answer(figure.add_axes((0.8, 0.361, 0.17, 0.441)), explanation)
    _draw_verdict(figure, explanation)
    _draw_small_print(figure, explanation, scale)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def png_bytes(picture: Image.Image) -> bytes:
    """Return a picture as a PNG file."""
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def long_name(target: str) -> str:
    """Return `MEL (Melanoma)`, or the output's own name where it is no class code."""
    return f"{target} ({class_name(target)})" if target in CLASS_INDEX else target


def all_well(method: str) -> str:
    """Return what a passed reliability check means for a map of this method."""
    if METHODS[method].complete:
        return "Validated classifier, clear prediction of the explained class, completeness error within limits."
    return "Validated classifier, clear prediction of the explained class."


def _draw_title(figure: Figure, explanation: Explanation) -> None:
    figure.text(0.03, 0.941, f"Why {long_name(explanation.target)}?", color=TEXT, fontsize=15, weight="bold")
    file = "" if explanation.source is None else f"{plain(explanation.source.name)}   ·   "
    words = f"{file}{METHODS[explanation.method].title}   ·   {explanation.notes[0] if explanation.notes else ''}"
    figure.text(0.03, 0.901, words.rstrip(" ·"), color=MUTED, fontsize=9, parse_math=False)


def _draw_picture(axes: Axes, picture: Image.Image, title: str) -> None:
    axes.imshow(picture, interpolation="nearest" if enlargement(np.asarray(picture)) > 1 else "antialiased")
    axes.set_title(title, loc="left", fontsize=9, color=MUTED)
    axes.set_axis_off()
    axes.set_anchor("NW")


_TITLES: Final[dict[Style, str]] = {
    "signed": "attribution map",
    "positive": "positive attribution",
    "jet": "positive part, jet",
}


def _draw_superpixels(axes: Axes, explanation: Explanation) -> None:
    """Outline the superpixels that the map is made of."""
    if explanation.segments is None:
        return
    for number in range(1, int(explanation.segments.max()) + 1):
        inside = explanation.segments == number
        if min(inside.shape) > 1:
            axes.contour(inside, [0.5], colors="white", linewidths=0.7)


def _draw_gap(figure: Figure, explanation: Explanation) -> None:
    """Give the completeness error, on a badge in the colour of its level."""
    gap = explanation.relative_delta
    if not METHODS[explanation.method].complete or gap is None or not np.isfinite(gap):
        return
    colour = MARKS[delta_level(gap)].colour
    box = {"boxstyle": "round,pad=0.35", "facecolor": colour, "edgecolor": "none"}
    words = f"completeness error {gap:.2%}"
    figure.text(0.603, 0.866, words, color="white", fontsize=8, ha="right", va="center", bbox=box, parse_math=False)


def _draw_colour_bar(axes: Axes, unit: str, scale: float, style: Style) -> None:
    colours = colour_ramp(style, 256, BAR_GROUND, OPACITY)[:, None].repeat(2, axis=1)
    low = -scale if style == "signed" else 0.0
    axes.imshow(colours, aspect="auto", origin="lower", extent=(0.0, 1.0, low, scale))
    axes.set_xticks([])
    axes.yaxis.tick_right()
    ticks = {-scale: f"\u2264 \u2212{scale:.2g}  opposes", 0.0: "0", scale: f"\u2265 +{scale:.2g}  supports"}
    shown = {value: words for value, words in ticks.items() if value >= low}
    axes.set_yticks(list(shown), list(shown.values()))
    axes.tick_params(labelsize=8, colors=MUTED, length=3, color=HAIRLINE)
    axes.set_title(textwrap.fill(unit, 22), loc="left", fontsize=8, color=MUTED, pad=10)
    _hide_frame(axes)


def _draw_answer(axes: Axes, explanation: Explanation) -> None:
    probabilities = explanation.classification.probabilities
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])[:_MAX_BARS]
    names, values = [name for name, _ in ranked], [value for _, value in ranked]
    colours = [ACCENT if name == explanation.target else _QUIET_BAR for name in names]
    axes.barh(range(len(names)), values, color=colours, height=0.62)
    for row, value in enumerate(values):
        axes.text(value + 0.02, row, f"{value:.0%}", va="center", fontsize=8.5, color=TEXT, parse_math=False)
    axes.set_yticks(range(len(names)), names, fontsize=8.5, color=TEXT)
    axes.set_ylim(max(len(names), 7) - 0.4, -0.6)
    axes.set_xlim(0, 1.18)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.set_title("predicted probabilities", loc="left", fontsize=9, color=MUTED)
    _hide_frame(axes)


def _hide_frame(axes: Axes) -> None:
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_verdict(figure: Figure, explanation: Explanation) -> None:
    level = explanation.gate.level
    icon = figure.add_axes((0.03, 0.24, 0.03, 0.054))
    icon.imshow(draw_icon(level, 64))
    icon.set_axis_off()
    icon.set_anchor("W")
    figure.text(0.062, 0.267, MARKS[level].word, color=MARKS[level].colour, fontsize=11, weight="bold", va="center")
    lines = textwrap.wrap(" ".join(explanation.gate.reasons or (all_well(explanation.method),)), 124)
    if len(lines) > _VERDICT_LINES:
        lines = [*lines[: _VERDICT_LINES - 1], f"{lines[_VERDICT_LINES - 1]} \u2026"]
    figure.text(0.195, 0.267, "\n".join(lines), color=TEXT, fontsize=9, va="center", parse_math=False)


def _draw_small_print(figure: Figure, explanation: Explanation, scale: float) -> None:
    parts = [_account(explanation), *explanation.notes[1:]]
    if why_no_map(explanation) is None:
        parts.append(
            f"Shown: sum over the channels, smoothed by {SMOOTHING:.0%} of the side; colours end at \u00b1{scale:.2g} "
            f"({CLIP_PERCENTILE} % of the pixels of the strongest map are within). The .npz holds the raw values."
        )
    parts.append("Shows what this classifier responds to. For research only, never a diagnosis.")
    lines = [line for part in parts for line in textwrap.wrap(part, _LINE)]
    figure.text(
        0.03, 0.215, "\n".join(lines), color=MUTED, fontsize=7.8, linespacing=1.5, va="top", parse_math=False
    )  # fmt: skip


def _account(explanation: Explanation) -> str:
    """Return the logits of image and baseline, and the part that the method explains."""
    facts = METHODS[explanation.method]
    if not facts.uses_baseline:
        return f"logit {signed(explanation.score, 2)}; this method uses no baseline."
    difference = explanation.score - explanation.baseline_score
    relative = "" if explanation.relative_delta is None else f" ({explanation.relative_delta:.2%})"
    words = (
        f"logit {signed(explanation.score, 2)}, at the baseline {signed(explanation.baseline_score, 2)}: difference "
        f"{signed(difference, 2)}"
    )
    if facts.complete:
        words += f" explained, completeness error {signed(explanation.delta, 4)}{relative}"
    if explanation.method == "ig":
        words += f", {explanation.steps} steps"
    baseline = BASELINES[explanation.baseline].hint
    return f"{words}.  Baseline: {baseline[0].lower()}{baseline[1:]}"
