"""The heading of a panel, which is also what a dock is dragged by."""

from __future__ import annotations

from PyQt5.QtCore import QSize
from PyQt5.QtWidgets import QHBoxLayout, QWidget

from gui.theme.tokens import CONTROL_HEIGHT, GAP_SMALL, GRID
from gui.widgets.labels import label

HEIGHT = CONTROL_HEIGHT + 2 * GRID


class PanelHead(QWidget):
    """A title with controls beside it."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(GRID, GRID, 0, GRID)
        self._layout.setSpacing(GAP_SMALL)
        self._layout.addWidget(label(title, "title"))
        self._layout.addStretch(1)
        self._at_start = 1
        self.setFixedHeight(HEIGHT)

    def sizeHint(self) -> QSize:
        """Ask for the same height with controls and without: a dock goes by this alone."""
        return QSize(super().sizeHint().width(), HEIGHT)

    def add(self, control: QWidget) -> None:
        """Put a control after the title."""
        self._layout.insertWidget(self._at_start, control)
        self._at_start += 1

    def add_at_end(self, control: QWidget) -> None:
        """Put a control at the far end."""
        self._layout.addWidget(control)
