"""A chooser that shortens what is chosen where there is no room, with dots; the list and the tooltip say all of it."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QSize, Qt
from PyQt5.QtGui import QHelpEvent, QPaintEvent
from PyQt5.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter, QToolTip

LEAST_WIDTH = 56


class ElidedCombo(QComboBox):
    """A `QComboBox` that may be narrower than its words."""

    def minimumSizeHint(self) -> QSize:
        """Ask for enough to see that something is chosen."""
        return QSize(LEAST_WIDTH, super().minimumSizeHint().height())

    def shown_text(self) -> str:
        """Return what is seen of the chosen words."""
        return self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, self._room().width())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame and what fits of the words."""
        painter = QStylePainter(self)
        option = self._option()
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        option.currentText = self.shown_text()
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def event(self, event: QEvent) -> bool:
        """Tell all of what is chosen, above what the control is for, where it was shortened."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            words = self.currentText() if self.shown_text() != self.currentText() else ""
            QToolTip.showText(event.globalPos(), "\n".join(filter(None, (words, self.toolTip()))), self)
            return True
        return bool(super().event(event))

    def _room(self) -> QSize:
        part = QStyle.SubControl.SC_ComboBoxEditField
        field = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, self._option(), part, self)
        return field.size() - QSize(2, 0)

    def _option(self) -> QStyleOptionComboBox:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        return option
