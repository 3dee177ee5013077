"""The colour bar of maps: which colour stands for which value, in words and numbers, with a mark at one value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import QPointF, QRect, QSize, Qt
from PyQt5.QtGui import QPainter, QPaintEvent, QPixmap, QPolygonF
from PyQt5.QtWidgets import QSizePolicy, QWidget

from gui.i18n import tr
from gui.i18n.numbers import local
from gui.theme import palette
from gui.theme.palette import tabular
from gui.widgets.images import to_pixmap

if TYPE_CHECKING:  # annotations only: numpy takes a fifth of a second that the window's start does not have
    import numpy as np
    from numpy.typing import NDArray

BAR_HEIGHT = 10
MARK = 4


class ColorBar(QWidget):
    """Shows which colour stands for which attribution."""

    def __init__(self) -> None:
        super().__init__()
        self._low = self._high = 0.0
        self._unit = ""
        self._mark: float | None = None
        self._ramp = QPixmap()
        self.setFont(tabular(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_scale(self, low: float, high: float, colors: NDArray[np.uint8], unit: str) -> None:
        """Show colours of shape (N, 3) that run from `low` to `high`."""
        self._low, self._high, self._unit, self._mark = low, high, unit, None
        self._ramp = to_pixmap(colors[None])
        words = tr("Colour bar from {low} to {high} {unit}")
        self.setAccessibleName(words.format(low=_number(low), high=_number(high), unit=unit))
        self.setToolTip(self.accessibleName())
        self.update()

    def mark(self, value: float | None) -> None:
        """Mark a value on the bar, or none."""
        self._mark = value
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for the bar and a line of numbers."""
        return QSize(320, BAR_HEIGHT + self.fontMetrics().height() + 8)  # Chinese letters reach further down

    def minimumSizeHint(self) -> QSize:
        """Ask for two short numbers."""
        return QSize(2 * self.fontMetrics().horizontalAdvance("+0.0000"), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ramp, numbers and mark."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(QRect(0, 0, self.width(), BAR_HEIGHT), self._ramp)
        painter.setPen(palette.color("muted"))
        words = QRect(0, BAR_HEIGHT + 2, self.width(), self.fontMetrics().height())
        flag = Qt.AlignmentFlag
        for text, place in zip(self._words(), (flag.AlignLeft, flag.AlignHCenter, flag.AlignRight), strict=True):
            painter.drawText(words, int(place) | int(Qt.TextFlag.TextDontClip), text)
        if self._mark is not None and self._high > self._low:
            self._draw_mark(painter, self._mark)

    def _draw_mark(self, painter: QPainter, value: float) -> None:
        share = min(1.0, max(0.0, (value - self._low) / (self._high - self._low)))
        x = MARK + share * (self.width() - 2 * MARK)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(palette.color("panel"))
        painter.setBrush(palette.color("text"))
        painter.drawPolygon(
            QPolygonF(
                [QPointF(x, BAR_HEIGHT - 5), QPointF(x - MARK, BAR_HEIGHT + 3), QPointF(x + MARK, BAR_HEIGHT + 3)]
            )
        )

    def _words(self) -> tuple[str, str, str]:
        """Return what stands left, in the middle and right, as long as there is room for."""
        low, high = _number(self._low), _number(self._high)
        signed = self._low < 0
        middle = "0" if signed else ""
        choices = (
            (tr("opposes: {number}").format(number=low) if signed else low, middle,
             tr("supports: {number} {unit}").format(number=high, unit=self._unit)),
            (low, middle, f"{high} {self._unit}"),
        )  # fmt: skip
        width = self.fontMetrics().horizontalAdvance
        room = self.width() / 2 - width("00")
        fitting = [words for words in choices if max(width(words[0]), width(words[2])) < room]
        if fitting:
            return fitting[0]
        last = choices[-1][2]
        return (low, "", last if width(low) + width("00") + width(last) < self.width() else high)


def _number(value: float) -> str:
    return local(f"{value:+.2g}") if value else "0"
