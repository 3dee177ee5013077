"""The figure of one explanation: picture, map with colour bar in logits, the classifier's answer, and the verdict."""

from __future__ import annotations

import io
import textwrap
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from core.taxonomy import CLASS_INDEX, class_name
from core.utils.palette import ACCENT, HAIRLINE, MUTED, PANEL, TEXT
from xai.baselines import DESCRIPTIONS
from xai.colour import blend_signed
from xai.explanation import METHODS, Explanation
from xai.marks import MARKS, draw_icon
from xai.overlay import CLIP_PERCENTILE, OPACITY, SMOOTHING, enlargement, render_overlay, shared_scale, why_no_map

DPI: Final = 120
ALL_WELL: Final = "A validated classifier, sure of the class it was asked about, and a map that adds up."
_QUIET_BAR: Final = "#c3c9cf"
_MAX_BARS: Final = 8
_GROUND: Final = 176
"""Grey behind the colour bar, as between light skin and a dark lesion."""


def render_figure(explanation: Explanation, *, scale: float | None = None, opacity: float = OPACITY) -> Image.Image:
    """Return the figure, 1320 x 648 pixels: what is needed to read the map, in one picture.

    Parameters
    ----------
    scale, opacity
        As in `render_overlay`.
    """
    scale = scale or shared_scale([explanation])
    figure = Figure(figsize=(11, 5.4), dpi=DPI, facecolor=PANEL)
    canvas = FigureCanvasAgg(figure)
    _draw_title(figure, explanation)
    _draw_picture(figure.add_axes((0.03, 0.26, 0.28, 0.57)), Image.fromarray(explanation.image), "picture")
    overlay = render_overlay(explanation, scale=scale, opacity=opacity)
    _draw_picture(figure.add_axes((0.325, 0.26, 0.28, 0.57)), overlay, "what speaks for and against")
    if why_no_map(explanation) is None:
        _draw_colour_bar(figure.add_axes((0.617, 0.29, 0.013, 0.51)), scale, opacity)
    _draw_answer(figure.add_axes((0.8, 0.29, 0.17, 0.49)), explanation)
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


def _draw_title(figure: Figure, explanation: Explanation) -> None:
    figure.text(0.03, 0.935, f"Why {long_name(explanation.target)}?", color=TEXT, fontsize=15, weight="bold")
    file = "" if explanation.source is None else f"{explanation.source.name}   ·   "
    words = f"{file}{METHODS[explanation.method]}   ·   {explanation.notes[0] if explanation.notes else ''}"
    figure.text(0.03, 0.89, words.rstrip(" ·"), color=MUTED, fontsize=9, parse_math=False)


def _draw_picture(axes: Axes, picture: Image.Image, title: str) -> None:
    axes.imshow(picture, interpolation="nearest" if enlargement(np.asarray(picture)) > 1 else "antialiased")
    axes.set_title(title, loc="left", fontsize=9, color=MUTED)
    axes.set_axis_off()
    axes.set_anchor("NW")


def _draw_colour_bar(axes: Axes, scale: float, opacity: float) -> None:
    values = np.linspace(-1, 1, 256)[:, None].repeat(2, axis=1)
    ground = np.full((*values.shape, 3), _GROUND, np.uint8)
    axes.imshow(blend_signed(ground, values, opacity), aspect="auto", origin="lower", extent=(0.0, 1.0, -scale, scale))
    axes.set_xticks([])
    axes.yaxis.tick_right()
    axes.set_yticks([-scale, 0, scale], [f"\u2264 \u2212{scale:.2g}  against", "0", f"\u2265 +{scale:.2g}  for"])
    axes.tick_params(labelsize=8, colors=MUTED, length=3, color=HAIRLINE)
    axes.set_title("logits per pixel", loc="left", fontsize=8, color=MUTED, pad=10)
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
    axes.set_title("the classifier's answer", loc="left", fontsize=9, color=MUTED)
    _hide_frame(axes)


def _hide_frame(axes: Axes) -> None:
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_verdict(figure: Figure, explanation: Explanation) -> None:
    level = explanation.gate.level
    icon = figure.add_axes((0.03, 0.155, 0.03, 0.06))
    icon.imshow(draw_icon(level, 64))
    icon.set_axis_off()
    icon.set_anchor("W")
    figure.text(0.062, 0.185, MARKS[level].word, color=MARKS[level].colour, fontsize=11, weight="bold", va="center")
    lines = textwrap.wrap(" ".join(explanation.gate.reasons or (ALL_WELL,)), 128)
    if len(lines) > 2:
        lines = [lines[0], f"{lines[1]} \u2026"]
    figure.text(0.18, 0.185, "\n".join(lines), color=TEXT, fontsize=9, va="center", parse_math=False)


def _draw_small_print(figure: Figure, explanation: Explanation, scale: float) -> None:
    difference = explanation.score - explanation.baseline_score
    relative = "" if explanation.relative_delta is None else f" ({explanation.relative_delta:.2%})"
    lines = [
        f"logit {explanation.score:+.2f} against {explanation.baseline_score:+.2f} at the baseline: {difference:+.2f} "
        f"is explained, error {explanation.delta:+.4f}{relative}, {explanation.steps} steps.  Baseline: "
        f"{DESCRIPTIONS[explanation.baseline]}.",
    ]
    if why_no_map(explanation) is None:
        lines.append(
            f"Shown: sum over the channels, smoothed by {SMOOTHING:.0%} of the side; colours end at \u00b1{scale:.2g} "
            f"({CLIP_PERCENTILE} % of the pixels of the strongest map lie within). The .npz holds the raw values."
        )
    lines.append("Shows what this classifier reacts to. For research only, never a diagnosis.")
    figure.text(0.03, 0.035, "\n".join(lines), color=MUTED, fontsize=7.8, linespacing=1.5, parse_math=False)
