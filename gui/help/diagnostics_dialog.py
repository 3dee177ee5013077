"""What would be sent with a report, shown before it is copied: read it, take out what you like, copy or save it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PyQt5.QtGui import QFontDatabase, QGuiApplication
from PyQt5.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from core.files.own import write_private
from gui.i18n import tr
from gui.theme.tokens import GAP, GAP_LARGE, GAP_SMALL
from gui.widgets.buttons import text_button
from gui.widgets.fitting import fit
from gui.widgets.labels import label
from gui.workers.task import TaskRunner

SIZE: Final = (820, 600)
FILE_NAME: Final = "isicgui-diagnostics.txt"


class DiagnosticsDialog(QDialog):
    """Shows a text that `make` gathers on a thread.

    Parameters
    ----------
    make
        Returns the text; may take its time and may raise OSError.
    """

    def __init__(self, make: Callable[[], str], title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = TaskRunner(1, self)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        fit(self, SIZE)
        self.text = self._make_text()
        self.told = label("", "muted", wrap=True)
        self.copy = text_button(tr("Copy"), self._copy)
        self.save = text_button(tr("Save…"), self._save)
        self.finish = text_button(tr("Close"), self.close)
        self._lay_out()
        self._enable(False)
        self.finished.connect(self._leave)
        self._tasks.start(make, self._show, self._refuse)

    def _make_text(self) -> QPlainTextEdit:
        text = QPlainTextEdit(tr("Collecting…"))
        text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        text.setTabChangesFocus(True)
        text.setAccessibleName(tr("What would be sent"))
        return text

    def _lay_out(self) -> None:
        words = tr(
            "This is all that is copied. Home folders, chosen folders, user and computer names are "
            "removed. Look through it, delete what you do not want to share, and send it with a "
            "description of what you did."
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_LARGE, GAP_LARGE, GAP_LARGE)
        layout.setSpacing(GAP)
        layout.addWidget(label(words, wrap=True))
        layout.addWidget(self.text, 1)
        row = QHBoxLayout()
        row.setSpacing(GAP_SMALL)
        row.addWidget(self.told, 1)
        for button in (self.copy, self.save, self.finish):
            row.addWidget(button)
        layout.addLayout(row)

    def _enable(self, there: bool) -> None:
        self.text.setReadOnly(not there)
        for button in (self.copy, self.save):
            button.setEnabled(there)

    def _show(self, text: str) -> None:
        self.text.setPlainText(text)
        self._enable(True)
        self.copy.setDefault(True)
        self.copy.setFocus()

    def _refuse(self, error: BaseException) -> None:
        self.text.setPlainText(tr("The diagnostics could not be collected: {why}").format(why=error))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self.told.setText(tr("Copied"))

    def _save(self) -> None:
        file, _ = QFileDialog.getSaveFileName(self, tr("Save the diagnostics"), FILE_NAME, tr("Text (*.txt)"))
        if not file:
            return
        try:
            write_private(Path(file), self.text.toPlainText())
        except OSError as error:
            self.told.setText(tr("Not saved: {why}").format(why=error.strerror or error))
        else:
            self.told.setText(tr("Written: {path}").format(path=file))

    def _leave(self) -> None:
        """Let the thread end before the dialog goes."""
        self._tasks.close(2.0)
        self.deleteLater()
