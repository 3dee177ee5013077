"""Holds the window of a session, and builds it anew in another language while everything goes on."""

from __future__ import annotations

from PyQt5.QtCore import QObject, QTimer, pyqtSignal
from PyQt5.QtWidgets import QDialog

from gui.i18n import set_language
from gui.shell.main_window import MainWindow
from gui.shell.session import Session

LANGUAGE = "ui.language"


class WindowHost(QObject):
    """The window of a session, whichever it is.

    Widgets hold no state that matters, so the window that speaks another language is simply a new one: a run, the
    queue, what is shown and what was chosen belong to the session and go on.

    Signals
    -------
    replaced
        There is another window; carries it.
    """

    replaced = pyqtSignal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        set_language(session.settings.get(LANGUAGE))
        self.window = MainWindow(session)
        self._is_due = False
        session.settings.changed.connect(self._setting_changed)

    def _setting_changed(self, key: str) -> None:
        if key == LANGUAGE:
            self._rebuild_soon()

    def _rebuild_soon(self) -> None:
        """Wait until whoever changed the setting, a widget of the old window perhaps, has come to an end."""
        if not self._is_due:
            self._is_due = True
            QTimer.singleShot(0, self._rebuild)

    def _rebuild(self) -> None:
        """Build the window anew, unless a dialog waits for an answer, which is not taken away."""
        self._is_due = False
        old = self.window
        dialog = next((d for d in old.findChildren(QDialog) if d.isVisible() and d.isModal()), None)
        if dialog:
            dialog.finished.connect(self._rebuild_soon)
            return
        if old.is_closing:
            return
        set_language(self.session.settings.get(LANGUAGE))
        old.remember()
        self.window = MainWindow(self.session)
        self.window.take_over(old)
        self.window.show()
        old.hide()
        old.deleteLater()
        self.replaced.emit(self.window)
