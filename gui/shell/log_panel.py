"""The log console: level and text filter, copy, save."""

from __future__ import annotations

import logging
from pathlib import Path

from PyQt5.QtCore import QEvent
from PyQt5.QtGui import QColor, QFontDatabase, QGuiApplication, QTextCharFormat, QTextCursor
from PyQt5.QtWidgets import QComboBox, QFileDialog, QFrame, QLineEdit, QPlainTextEdit, QVBoxLayout

from core.files.own import write_private
from gui.i18n import mark, tr
from gui.shell.log import KEPT, LogModel
from gui.theme import palette
from gui.theme.tokens import CONTROL_HEIGHT, GAP_SMALL, GRID
from gui.widgets.buttons import icon_button
from gui.widgets.panel_head import PanelHead

_log = logging.getLogger(__name__)

LEVELS = (
    (mark("Debug"), logging.DEBUG),
    (mark("Info"), logging.INFO),
    (mark("Warnings"), logging.WARNING),
    (mark("Errors"), logging.ERROR),
)


class LogPanel(QFrame):
    """Shows a `LogModel`."""

    def __init__(self, model: LogModel) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._model = model
        self._theme = palette.tokens().name
        self.head = PanelHead(tr("Log"))
        self.level = QComboBox()
        for words, level in LEVELS:
            self.level.addItem(tr(words), level)
        self.level.setCurrentIndex(1)
        self.level.setAccessibleName(tr("Lowest level shown"))
        self.level.setToolTip(tr("Lowest level shown"))
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(tr("Filter"))
        self.filter.setAccessibleName(tr("Show lines that contain"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setMaximumWidth(220)
        self.text = self._make_text()
        self._lay_out()
        self.level.activated.connect(lambda _: self._apply())
        self.filter.textChanged.connect(lambda _: self._apply())
        model.appended.connect(self._append)
        model.cleared.connect(self.text.clear)

    def take_over(self, other: LogPanel) -> None:
        """Show the same choice of lines as another panel."""
        self.level.setCurrentIndex(other.level.currentIndex())
        self.filter.setText(other.filter.text())

    def _make_text(self) -> QPlainTextEdit:
        text = QPlainTextEdit()
        text.setReadOnly(True)
        text.setMaximumBlockCount(KEPT)
        text.setUndoRedoEnabled(False)
        text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        text.setProperty("plain", True)
        text.setAccessibleName(tr("Log"))
        text.setTabChangesFocus(True)
        text.setMinimumHeight(CONTROL_HEIGHT)  # one line: on a low screen the picture gets the rest
        return text

    def _lay_out(self) -> None:
        for control in (self.level, self.filter):
            self.head.add(control)
        self.head.add_at_end(icon_button("copy", tr("Copy the log"), self._copy))
        self.head.add_at_end(icon_button("save", tr("Save the log"), self._save))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_SMALL, GRID, GRID, GRID)
        layout.addWidget(self.text, 1)

    def _apply(self) -> None:
        self._model.set_filter(self.level.currentData(), self.filter.text())

    def changeEvent(self, event: QEvent) -> None:
        """Write the lines again in the colours of the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._theme != palette.tokens().name:
            self._theme = palette.tokens().name
            self._apply()

    def _append(self, lines: list[tuple[int, str]]) -> None:
        bar = self.text.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 4
        cursor = QTextCursor(self.text.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        for level, line in lines:
            if not self.text.document().isEmpty():
                cursor.insertBlock()
            cursor.insertText(line, _format(level))
        cursor.endEditBlock()
        if at_end:
            bar.setValue(bar.maximum())

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())

    def _save(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, tr("Save the log"), "isicgui-log.txt", tr("Text (*.txt)"))
        if name:
            self._write(Path(name))

    def _write(self, path: Path) -> None:
        try:
            write_private(path, self.text.toPlainText() + "\n")
        except OSError as error:
            _log.error("The log could not be written to %s: %s", path, error.strerror or error)


def _format(level: int) -> QTextCharFormat:
    made = QTextCharFormat()
    token = "none" if level >= logging.ERROR else "doubt" if level >= logging.WARNING else "text"
    made.setForeground(QColor(palette.color(token)))
    return made
