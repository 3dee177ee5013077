"""Asks before what lies in the trash is deleted for good."""

from __future__ import annotations

from PyQt5.QtCore import QSize
from PyQt5.QtWidgets import QMessageBox, QPushButton, QWidget

from gui.i18n import tr
from gui.theme.icons import icon
from gui.theme.tokens import ICON_SIZE


class EmptyTrashDialog(QMessageBox):
    """The safe answer is the one that Return and Escape give."""

    def __init__(self, files: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setIconPixmap(icon("warning", "doubt").pixmap(QSize(ICON_SIZE * 2, ICON_SIZE * 2)))
        self.setWindowTitle(tr("Empty the trash"))
        self.setText(tr("Delete %n file(s) for good?", files))
        self.setInformativeText(tr("They cannot be restored. Their numbers and seeds are not used again."))
        self.delete_button: QPushButton = self.addButton(tr("Delete for good"), QMessageBox.ButtonRole.DestructiveRole)
        self.keep_button: QPushButton = self.addButton(tr("Keep"), QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.keep_button)
        self.setEscapeButton(self.keep_button)
