"""Asked before a run is stopped and its images are taken back."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QMessageBox, QPushButton, QWidget

from gui.i18n import tr


class DiscardDialog(QMessageBox):
    """Offers to stop and delete, or to go on; the run goes on while it is asked.

    Parameters
    ----------
    done
        Images of the run that are finished by now.
    output
        Where they lie.
    """

    def __init__(self, done: int, output: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Delete the images of this run?"))
        self.setIcon(QMessageBox.Icon.NoIcon)
        self.count(done)
        self.setInformativeText(
            tr("Folder: {folder}\nImages of earlier runs stay. This cannot be undone.").format(folder=output)
        )
        self.discard_button: QPushButton = self.addButton(tr("Stop and delete"), QMessageBox.ButtonRole.DestructiveRole)
        self.go_on_button: QPushButton = self.addButton(tr("Continue"), QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.go_on_button)
        self.setEscapeButton(self.go_on_button)

    def count(self, done: int) -> None:
        """Say how many images would be deleted by now."""
        self.setText(tr("The run stops now, and every image it has generated is deleted: %n so far.", done))
