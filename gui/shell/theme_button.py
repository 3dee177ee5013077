"""Shows the theme of the window and offers the others."""

from __future__ import annotations

from PyQt5.QtCore import QSize
from PyQt5.QtWidgets import QAction, QActionGroup, QMenu, QToolButton

from gui.common.settings import SettingsModel
from gui.i18n import tr
from gui.shell.theme_keeper import KEY
from gui.theme.icons import set_icon
from gui.theme.tokens import ICON_SIZE

ICONS = {"light": "light", "dark": "dark", "system": "desktop"}


class ThemeButton(QToolButton):
    """Changes the setting of the theme; whoever keeps the theme hears of it."""

    def __init__(self, settings: SettingsModel) -> None:
        super().__init__()
        self._settings = settings
        self.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
        self.setProperty("flat", True)
        self.entries: dict[str, QAction] = {}
        self.setMenu(self._make_menu())
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        settings.changed.connect(self._setting_changed)
        self._show()

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        group = QActionGroup(menu)
        for value, words in _words().items():
            action = group.addAction(menu.addAction(words))
            action.setData(value)
            action.setCheckable(True)
            self.entries[value] = action
        group.triggered.connect(self._choose)
        return menu

    def _choose(self, action: QAction) -> None:
        self._settings.set(KEY, action.data())

    def _setting_changed(self, key: str) -> None:
        if key == KEY:
            self._show()

    def _show(self) -> None:
        theme = self._settings.get(KEY)
        set_icon(self, ICONS[theme])
        self.entries[theme].setChecked(True)
        words = tr("Colours of the window: {theme}").format(theme=_words()[theme])
        self.setToolTip(words)
        self.setAccessibleName(words)


def _words() -> dict[str, str]:
    return {"light": tr("Light"), "dark": tr("Dark"), "system": tr("As the desktop")}
