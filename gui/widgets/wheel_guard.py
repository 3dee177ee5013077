"""Keeps the wheel from changing a value that only happened to lie under the pointer while somebody scrolled."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject, Qt
from PyQt5.QtWidgets import QAbstractSlider, QAbstractSpinBox, QComboBox, QScrollBar, QWidget

__all__ = ["WheelGuard"]

CHANGED_BY_WHEEL = (QComboBox, QAbstractSpinBox, QAbstractSlider)


class WheelGuard(QObject):
    """Passes turns of the wheel over choosers, numbers and sliders that do not have the focus on to what scrolls.

    Parameters
    ----------
    content
        The widget whose controls are guarded: those that are in it now.
    """

    def __init__(self, content: QWidget) -> None:
        super().__init__(content)
        for control in content.findChildren(QWidget):
            if isinstance(control, CHANGED_BY_WHEEL) and not isinstance(control, QScrollBar):
                control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # the wheel itself must not bring the focus
                control.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave the wheel to the parents of a control without focus."""
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False
