"""What the pictures of an analysis have in common: figures that no global state knows of, panels, small texts."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray
from PIL import Image

from core.utils.palette import MUTED, PANEL

DPI: Final = 110

Picture = NDArray[np.uint8] | Image.Image


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of so many inches; it is freed with its last reference, unlike pyplot's."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor=PANEL, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def bands(figure: Figure, *heights: float) -> list[SubFigure]:
    """Divide a figure into bands, from top to bottom, of these relative heights."""
    return list(figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False).ravel())


def show(axes: Axes, picture: Picture, title: str = "") -> None:
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
