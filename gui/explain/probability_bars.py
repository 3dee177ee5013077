"""The classifier's answer: one bar a class, with its number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PyQt5.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PyQt5.QtGui import QHelpEvent, QPainter, QPaintEvent
from PyQt5.QtWidgets import QSizePolicy, QToolTip, QWidget

from core.taxonomy import CLASSES, class_name
from gui.i18n import tr, translate
from gui.i18n.numbers import percent
from gui.theme import palette
from gui.theme.palette import tabular
from gui.theme.tokens import GAP_SMALL

BAR: Final = 6

NAME_WIDTH, SHARE_WIDTH, LINE_WIDTH = 56, 48, 180
"""Of a line: its code, its percentage, and all of it with its bar at least."""


class ProbabilityBars(QWidget):
    """Code, percentage and bar of each class; the predicted class stands out by weight and colour.

    Seven small columns, or seven lines where it stands upright.
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_upright = False
        self._probabilities: Mapping[str, float] = {}
        self.setFont(tabular(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_probabilities(self, probabilities: Mapping[str, float]) -> None:
        """Show probabilities by class code; an empty mapping shows dashes."""
        self._probabilities = dict(probabilities)
        told = ", ".join(f"{code} {percent(value)}" for code, value in self._probabilities.items())
        self.setAccessibleName(tr("Class probabilities"))
        self.setAccessibleDescription(told)
        self.update()

    def set_upright(self, upright: bool) -> None:
        """Stand in lines under each other, or in columns."""
        if upright != self._is_upright:
            self._is_upright = upright
            self.updateGeometry()
            self.update()

    @property
    def row_height(self) -> int:
        """The height in columns: two lines of text and a bar."""
        return 2 * self.fontMetrics().height() + BAR + 4

    def sizeHint(self) -> QSize:
        """Ask for two lines of text and a bar, or for seven lines."""
        if self._is_upright:
            return QSize(LINE_WIDTH, len(CLASSES) * self.fontMetrics().height())
        return QSize(7 * 62, self.row_height)

    def minimumSizeHint(self) -> QSize:
        """Ask for what seven columns, or lines, need at least."""
        return QSize(LINE_WIDTH if self._is_upright else 7 * 46, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the columns."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        best = max(self._probabilities, key=lambda code: self._probabilities[code], default="")
        for number, lesion in enumerate(CLASSES):
            draw = self._draw_line if self._is_upright else self._draw
            draw(painter, self._place(number), lesion.code, is_best=lesion.code == best)

    def event(self, event: QEvent) -> bool:
        """Give each column its own tooltip."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            hit = [c.code for i, c in enumerate(CLASSES) if self._place(i).contains(event.pos())]
            if hit:
                QToolTip.showText(event.globalPos(), self._words(hit[0]), self)
            return True
        return super().event(event)

    def _column(self, number: int) -> QRect:
        width = (self.width() + GAP_SMALL) / len(CLASSES)
        return QRect(round(number * width), 0, round(width) - GAP_SMALL, self.height())

    def _place(self, number: int) -> QRect:
        if not self._is_upright:
            return self._column(number)
        high = self.fontMetrics().height()
        return QRect(0, number * high, self.width(), high)

    def _words(self, code: str) -> str:
        value = self._probabilities.get(code)
        return f"{code} {translate(class_name(code))}" + (f": {percent(value, 1)}" if value is not None else "")

    def _draw(self, painter: QPainter, column: QRect, code: str, *, is_best: bool) -> None:
        value = self._probabilities.get(code)
        font = tabular(self.font())
        font.setBold(is_best)
        painter.setFont(font)
        line = self.fontMetrics().height()
        painter.setPen(palette.color("text" if is_best else "muted"))
        top = QRect(column.left(), 0, column.width(), line)
        painter.drawText(top, int(Qt.AlignmentFlag.AlignLeft), code)
        number = "–" if value is None else percent(value)
        painter.drawText(top.translated(0, line), int(Qt.AlignmentFlag.AlignLeft), number)
        self._draw_bar(painter, QRectF(column.left(), 2 * line + 3, column.width(), BAR), value or 0.0, is_best)

    def _draw_line(self, painter: QPainter, line: QRect, code: str, *, is_best: bool) -> None:
        value = self._probabilities.get(code)
        font = tabular(self.font())
        font.setBold(is_best)
        painter.setFont(font)
        painter.setPen(palette.color("text" if is_best else "muted"))
        share = line.adjusted(NAME_WIDTH, 0, 0, 0)
        painter.drawText(line, int(Qt.AlignmentFlag.AlignLeft), code)
        share.setWidth(SHARE_WIDTH)
        painter.drawText(share, int(Qt.AlignmentFlag.AlignRight), "–" if value is None else percent(value))
        left = NAME_WIDTH + SHARE_WIDTH + GAP_SMALL
        top = line.top() + (line.height() - BAR) / 2
        self._draw_bar(painter, QRectF(left, top, line.width() - left, BAR), value or 0.0, is_best)

    def _draw_bar(self, painter: QPainter, area: QRectF, value: float, is_best: bool) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color("hairline"))
        painter.drawRoundedRect(area, BAR / 2, BAR / 2)
        if value > 0.005:
            painter.setBrush(palette.color("accent" if is_best else "control_line"))
            painter.drawRoundedRect(QRectF(area.left(), area.top(), max(BAR, area.width() * value), BAR), 3, 3)
