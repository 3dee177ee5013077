"""The colours of pages and figures on white, and how plots are drawn with them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TEXT: Final = "#1b1f24"
MUTED: Final = "#57606a"
HAIRLINE: Final = "#d5d9de"
PANEL: Final = "#ffffff"
WINDOW: Final = "#f3f4f6"
ACCENT: Final = "#0a6e78"

SERIES: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#3d3d3d")
"""Lines that people with any colour vision tell apart (Okabe and Ito 2008, without their yellow)."""


def style_axes(axes: Axes) -> None:
    """Draw only the left and the lower edge, quietly, with a faint grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(HAIRLINE)
    axes.tick_params(colors=MUTED, labelcolor=TEXT, labelsize=9)
    axes.xaxis.label.set_color(MUTED)
    axes.yaxis.label.set_color(MUTED)
    axes.grid(visible=True, color=HAIRLINE, linewidth=0.6, alpha=0.7)
    axes.set_axisbelow(True)


def figure_png(figure: Figure) -> bytes:
    """Return a figure as a PNG file on white."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", facecolor=PANEL)
    return stream.getvalue()
