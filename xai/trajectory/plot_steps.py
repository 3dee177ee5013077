"""Pictures of the trajectory: the mosaic of its steps, and what the classifier made of each."""

from __future__ import annotations

from typing import Final

from matplotlib.axes import Axes
from PIL import Image

from core.utils.palette import SERIES, TEXT, figure_png, style_axes
from xai.figure import png_bytes
from xai.trajectory.analysis import ImageAnalysis
from xai.trajectory.canvas import new_figure

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
