"""Asked when the window is closed while a run goes on."""

from __future__ import annotations

from PyQt5.QtWidgets import QMessageBox, QPushButton, QWidget

from gui.i18n import tr


class CloseDialog(QMessageBox):
    """Offers to stop and close, or to go on."""

    def __init__(self, done: int, total: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("A run is in progress"))
        self.setIcon(QMessageBox.Icon.NoIcon)
        finished = tr("{done} of {total} images are finished.").format(done=done, total=total)
        self.setText(finished if total else tr("A run is in progress"))  # the total is known once the engine has begun
        self.setInformativeText(
            tr("Finished images are kept, and the rest can be generated at the next start. Stop the run and close?")
        )
        self.stop_button: QPushButton = self.addButton(tr("Stop and close"), QMessageBox.ButtonRole.AcceptRole)
        self.go_on_button: QPushButton = self.addButton(tr("Continue"), QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.go_on_button)
