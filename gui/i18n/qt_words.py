"""The words that Qt brings itself: standard buttons, context menus of text fields, its own file dialog."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PyQt5.QtCore import QCoreApplication, QLibraryInfo, QTranslator

from gui.i18n.marking import mark

FILES: Final = {"ru": "qtbase_ru", "zh": "qtbase_zh_CN"}
"""Not every PyQt5 brings every file: the one for Windows has no Chinese one."""


BUTTONS: Final = {
    "OK": mark("OK"),
    "&OK": mark("OK"),
    "Save": mark("Save"),
    "Open": mark("Open"),
    "&Yes": mark("Yes"),
    "&No": mark("No"),
    "Abort": mark("Abort"),
    "Retry": mark("Try again"),
    "Ignore": mark("Ignore"),
    "Close": mark("Close"),
    "&Close": mark("Close"),
    "Cancel": mark("Cancel"),
    "&Cancel": mark("Cancel"),
    "Discard": mark("Discard"),
    "Help": mark("Help"),
    "Apply": mark("Apply"),
    "Reset": mark("Reset"),
    "Restore Defaults": mark("Restore the defaults"),
    "&Undo": mark("Undo"),
    "&Redo": mark("Redo"),
    "Cu&t": mark("Cut"),
    "&Copy": mark("Copy"),
    "&Paste": mark("Paste"),
    "Delete": mark("Delete"),
    "Select All": mark("Select all"),
    "&Select All": mark("Select all"),
    "&Step up": mark("Up by one step"),
    "Step &down": mark("Down by one step"),
}
"""What people meet without a file dialog: Qt's words and the window's for them."""

CONTEXTS: Final = (
    "QPlatformTheme",
    "QDialogButtonBox",
    "QMessageBox",
    "QLineEdit",
    "QWidgetTextControl",
    "QAbstractSpinBox",
)

Translate = Callable[[str], str]


class _OwnWords(QTranslator):
    """Answers for Qt out of the window's own catalogue."""

    def __init__(self, tr: Translate) -> None:
        super().__init__()
        self._tr = tr

    def translate(self, context: str, sourceText: str, disambiguation: str | None = None, n: int = -1) -> str:  # noqa: N803  # Qt's name
        """Return one of Qt's texts, empty if it is not known here."""
        return self._tr(BUTTONS[sourceText]) if context in CONTEXTS and sourceText in BUTTONS else ""

    def isEmpty(self) -> bool:
        """Say that there is something to ask for: Qt leaves out translators without a file."""
        return False


_installed: list[QTranslator] = []


def translate_qt(code: str, tr: Translate) -> None:
    """Let Qt's own texts be those of a language: from Qt's file if there is one, else from the window's catalogue."""
    while _installed:
        QCoreApplication.removeTranslator(_installed.pop())
    if code not in FILES or QCoreApplication.instance() is None:
        return
    own, qts = _OwnWords(tr), QTranslator()
    qts.load(FILES[code], QLibraryInfo.location(QLibraryInfo.LibraryLocation.TranslationsPath))
    for translator in (own, qts):  # the one installed last is asked first
        if not translator.isEmpty() and QCoreApplication.installTranslator(translator):
            _installed.append(translator)
