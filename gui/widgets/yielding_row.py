"""A row of controls of which the less needed ones give way where there is no room."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QSize
from PyQt5.QtGui import QResizeEvent, QShowEvent
from PyQt5.QtWidgets import QHBoxLayout, QWidget

from gui.theme.tokens import GRID


class YieldingRow(QWidget):
    """Shows the first widget always, the others at the far end, as many of them as there is room for.

    Parameters
    ----------
    kept
        Never hidden.
    yielding
        From left to right.
    order
        The same widgets, the most needed first.
    """

    def __init__(self, kept: QWidget, yielding: Sequence[QWidget], order: Sequence[QWidget]) -> None:
        super().__init__()
        self._kept = kept
        self._order = tuple(order)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, GRID, 0, GRID)
        layout.setSpacing(GRID)
        layout.addWidget(kept)
        layout.addStretch(1)
        for widget in yielding:
            layout.addWidget(widget)

    def minimumSizeHint(self) -> QSize:
        """Ask for the room of the first widget only."""
        return QSize(self._kept.sizeHint().width(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as much as fits."""
        super().resizeEvent(event)
        self._make_room()

    def showEvent(self, event: QShowEvent) -> None:
        """Measure again: the style is known only now."""
        super().showEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        room = self.width() - self._kept.sizeHint().width()
        for widget in self._order:
            room -= max(widget.sizeHint().width(), widget.minimumWidth()) + GRID
            widget.setVisible(room >= 0)
