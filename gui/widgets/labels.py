"""Labels with a role (title, muted, problem) and labels that shorten what does not fit."""

from __future__ import annotations

from typing import Final

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QPainter, QPaintEvent, QTextLayout
from PyQt5.QtWidgets import QLabel, QSizePolicy, QWidget


def label(text: str = "", role: str = "", *, wrap: bool = False) -> QLabel:
    """Return a label; the role decides how the style sheet draws it."""
    made = QLabel(text)
    if role:
        made.setProperty("role", role)
    made.setWordWrap(wrap)
    return made


LEAST_WIDTH: Final = 24
"""Room for the dots alone."""


class ElidedLabel(QLabel):
    """One line that never asks for more room than there is; the whole text is in the tooltip.

    Parameters
    ----------
    mode
        Where the dots go: the middle suits paths, the end suits sentences.
    """

    def __init__(
        self, text: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight, parent: QWidget | None = None
    ) -> None:
        super().__init__(text, parent)
        self._mode = mode
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(LEAST_WIDTH)  # the policy lets a layout ignore the hint

    def setText(self, text: str) -> None:
        """Show a text and put it into the tooltip, as far as it does not fit."""
        super().setText(text)
        self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        """Ask for hardly any width."""
        return QSize(LEAST_WIDTH, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much as fits."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = self.fontMetrics().elidedText(self.text(), self._mode, self.contentsRect().width())
        painter.drawText(self.contentsRect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), text)


class TwoLineLabel(ElidedLabel):
    """As many lines as its words need, two at most unless more are allowed; the whole text is in the tooltip.

    Attributes
    ----------
    most_lines
        How many there are at most.
    """

    MOST_LINES: Final = 2

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent=parent)
        self.most_lines = self.MOST_LINES
        self.setWordWrap(True)  # so that a layout asks for the height of a width

    def heightForWidth(self, width: int) -> int:
        """Return the height of the lines that are shown in a width."""
        return max(1, len(self.lines(width))) * self.fontMetrics().lineSpacing()

    def lines(self, width: int) -> list[str]:
        """Return what is shown in a width, line by line."""
        found = self._wrapped(width)
        if len(found) <= self.most_lines:
            return found
        rest = "".join(found[self.most_lines - 1 :])
        return [*found[: self.most_lines - 1], self.fontMetrics().elidedText(rest, self._mode, width)]

    def _wrapped(self, width: int) -> list[str]:
        text, found = self.text(), []
        layout = QTextLayout(text, self.font())
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(width)
            found.append(text[line.textStart() : line.textStart() + line.textLength()])
        layout.endLayout()
        return found

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the lines from the top."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        area, high = self.contentsRect(), self.fontMetrics().lineSpacing()
        for number, line in enumerate(self.lines(area.width())):
            place = area.adjusted(0, number * high, 0, 0)
            place.setHeight(high)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), line)
