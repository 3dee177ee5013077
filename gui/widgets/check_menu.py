"""A menu of check boxes that stays open while they are checked."""

from __future__ import annotations

from PyQt5.QtGui import QMouseEvent
from PyQt5.QtWidgets import QMenu


class CheckMenu(QMenu):
    """Closes at a click on an entry that cannot be checked, or beside the menu."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Check or uncheck without closing."""
        action = self.activeAction()
        if action is not None and action.isCheckable() and action.isEnabled():
            action.trigger()
            event.accept()
            return
        super().mouseReleaseEvent(event)
