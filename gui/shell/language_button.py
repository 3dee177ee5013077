"""Shows the language of the window and offers the others, each by its own name."""

from __future__ import annotations

from PyQt5.QtWidgets import QAction, QActionGroup, QMenu, QToolButton

from gui.common.settings import SettingsModel
from gui.i18n import current, languages, tr
from gui.i18n.language import SYSTEM

KEY = "ui.language"


class LanguageButton(QToolButton):
    """Changes the setting of the language; the window is built anew by its `Stage`."""

    def __init__(self, settings: SettingsModel) -> None:
        super().__init__()
        self._settings = settings
        words = tr("Language of the window: {language}").format(language=languages()[current()])
        self.setText(current().upper())
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.setProperty("flat", True)
        self.setMenu(self._make_menu())
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        group = QActionGroup(menu)
        for code, name in {SYSTEM: tr("As the system"), **languages()}.items():
            action = group.addAction(menu.addAction(name))
            action.setData(code)
            action.setCheckable(True)
            action.setChecked(code == self._settings.get(KEY))
        group.triggered.connect(self._choose)
        return menu

    def _choose(self, action: QAction) -> None:
        self._settings.set(KEY, action.data())
