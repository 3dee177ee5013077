"""An icon that is no button, in a colour that follows the theme."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QSize
from PyQt5.QtWidgets import QLabel

from gui.theme.icons import icon
from gui.theme.tokens import ICON_SIZE


class IconLabel(QLabel):
    """Shows an icon by its name, in the colour of a token."""

    def __init__(self, name: str = "info", token: str = "muted", side: int = ICON_SIZE) -> None:
        super().__init__()
        self._side = side
        self.show_icon(name, token)

    def show_icon(self, name: str, token: str) -> None:
        """Show another icon."""
        self._name, self._token = name, token
        self.setPixmap(icon(name, token).pixmap(QSize(self._side, self._side)))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.show_icon(self._name, self._token)
