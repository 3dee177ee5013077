"""The colour bar of an explanation: from against to in favour of the class, in logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import QRect, QSize, Qt
from PyQt5.QtGui import QPainter, QPaintEvent, QPixmap
from PyQt5.QtWidgets import QSizePolicy, QWidget

from gui.i18n import tr
from gui.theme import palette
from gui.theme.palette import tabular
from gui.widgets.images import to_pixmap

if TYPE_CHECKING:  # annotations only: numpy takes a fifth of a second that the window's start does not have
    import numpy as np
    from numpy.typing import NDArray

BAR_HEIGHT = 10


class ColorBar(QWidget):
    """Shows which colour stands for which attribution."""

    def __init__(self) -> None:
        super().__init__()
        self._scale = 0.0
        self._ramp = QPixmap()
        self.setFont(tabular(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_scale(self, scale: float, colors: NDArray[np.uint8]) -> None:
        """Show colours of shape (N, 3) that run from -scale to +scale."""
        self._scale = scale
        self._ramp = to_pixmap(colors[None])
        self.setAccessibleName(tr("Colour bar from {low} to {high} logits").format(low=-scale, high=scale))
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for the bar and a line of numbers."""
        return QSize(320, BAR_HEIGHT + self.fontMetrics().height() + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ramp and numbers."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(QRect(0, 0, self.width(), BAR_HEIGHT), self._ramp)
        painter.setPen(palette.color("muted"))
        words = QRect(0, BAR_HEIGHT + 2, self.width(), self.fontMetrics().height())
        flag = Qt.AlignmentFlag
        for text, place in zip(self._words(), (flag.AlignLeft, flag.AlignHCenter, flag.AlignRight), strict=True):
            painter.drawText(words, int(place), text)

    def _words(self) -> tuple[str, str, str]:
        """Return what stands left, in the middle and right, as long as there is room for."""
        low, high = f"−{self._scale:.2g}", f"+{self._scale:.2g}"
        choices = (
            (low + " " + tr("against"), "0", tr("for") + f" {high} " + tr("logits/pixel")),
            (low, "0", high + " " + tr("logits/pixel")),
        )
        width = self.fontMetrics().horizontalAdvance
        room = self.width() / 2 - width("00")
        fitting = [words for words in choices if max(width(words[0]), width(words[2])) < room]
        return fitting[0] if fitting else (low, "", high)
