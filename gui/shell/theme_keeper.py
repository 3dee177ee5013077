"""Keeps the application in the chosen theme: when it is chosen, and when the desktop goes dark or light."""

from __future__ import annotations

from typing import Final

from PyQt5.QtCore import QObject, QTimer
from PyQt5.QtWidgets import QApplication

from gui.common.settings import SettingsModel
from gui.theme.desktop_scheme import DesktopScheme
from gui.theme.palette import apply_theme, set_system_dark, system_is_dark

KEY: Final = "ui.theme"
REMEMBERED: Final = "window/system-dark"
LISTEN_AFTER_MS: Final = 50
"""The first paint comes before any question to the desktop."""


class ThemeKeeper(QObject):
    """Applies the theme of the settings, at once and at every change.

    What the desktop said last is remembered, so that the next start has the right colours from its first paint on.
    """

    def __init__(self, app: QApplication, settings: SettingsModel, parent: QObject | None = None) -> None:
        super().__init__(parent or settings)
        self._app, self._settings = app, settings
        self.scheme = DesktopScheme(self)
        set_system_dark(settings.recall(REMEMBERED, system_is_dark(), bool))
        self._apply()
        settings.changed.connect(self._setting_changed)
        self.scheme.changed.connect(self._desktop_changed)

    def listen(self) -> None:
        """Begin to hear what the desktop says, soon."""
        QTimer.singleShot(LISTEN_AFTER_MS, self.scheme.listen)

    def _apply(self) -> None:
        apply_theme(self._app, self._settings.get(KEY))

    def _setting_changed(self, key: str) -> None:
        if key == KEY:
            self._apply()

    def _desktop_changed(self, dark: bool) -> None:
        self._settings.remember(REMEMBERED, dark)
        if dark != system_is_dark():
            set_system_dark(dark)
            if self._settings.get(KEY) == "system":
                self._apply()
