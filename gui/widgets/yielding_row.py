"""A row of controls of which the less needed ones give way to a menu where there is no room."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QSize
from PyQt5.QtGui import QResizeEvent, QShowEvent
from PyQt5.QtWidgets import QAbstractButton, QHBoxLayout, QMenu, QToolButton, QWidget

from gui.i18n import tr
from gui.theme.tokens import GRID
from gui.widgets.buttons import icon_button


class YieldingRow(QWidget):
    """Shows the first widget always, the others at the far end, as many of them as there is room for.

    Buttons that have no room are in a menu at the end.

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
        self._yielding, self._order = tuple(yielding), tuple(order)
        self.more = icon_button("more", tr("More tools"))
        self.menu = QMenu(self.more)
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.more.setMenu(self.menu)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, GRID, 0, GRID)
        layout.setSpacing(GRID)
        layout.addWidget(kept)
        layout.addStretch(1)
        for widget in (*yielding, self.more):
            layout.addWidget(widget)

    def minimumSizeHint(self) -> QSize:
        """Ask for the room of the first widget, and of the button for the others."""
        return QSize(
            self._kept.sizeHint().width() + GRID + self.more.sizeHint().width(), super().minimumSizeHint().height()
        )

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
        widths = {widget: max(widget.sizeHint().width(), widget.minimumWidth()) + GRID for widget in self._order}
        is_short = sum(widths.values()) > room
        room -= self.more.sizeHint().width() + GRID if is_short else 0
        for widget in self._order:
            room -= widths[widget]
            widget.setVisible(room >= 0)
        self.more.setVisible(is_short)

    def _fill_menu(self) -> None:
        """Offer the buttons that are hidden, in the order in which they would stand."""
        self.menu.clear()
        for button in self._yielding:
            if isinstance(button, QAbstractButton) and button.isHidden():
                action = self.menu.addAction(button.icon(), button.toolTip().partition("\n")[0], button.click)
                action.setCheckable(button.isCheckable())
                action.setChecked(button.isChecked())
                action.setEnabled(button.isEnabled())
