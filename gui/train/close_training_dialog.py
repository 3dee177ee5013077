"""Asked when the window is closed while a training goes on."""

from __future__ import annotations

from PyQt5.QtWidgets import QMessageBox, QPushButton, QWidget

from gui.i18n import tr
from gui.train.training import TrainingModel


class CloseTrainingDialog(QMessageBox):
    """Offers to stop the training and close the window, or to go on."""

    def __init__(self, training: TrainingModel, window: QWidget) -> None:
        super().__init__(window)
        self._training, self._window = training, window
        self.setWindowTitle(tr("A training is in progress"))
        self.setIcon(QMessageBox.Icon.NoIcon)
        self.setText(tr("A training is in progress."))
        self.setInformativeText(
            tr("Training can be resumed later from the last saved state. Stop the training and close?")
        )
        self.stop_button: QPushButton = self.addButton(tr("Stop and close"), QMessageBox.ButtonRole.AcceptRole)
        self.go_on_button: QPushButton = self.addButton(tr("Continue"), QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.go_on_button)
        self.buttonClicked.connect(self._answer)

    def _answer(self, button: QPushButton) -> None:
        if button is not self.stop_button:
            return
        if self._training.busy:
            self._training.leave(self._window.close)
        else:
            self._window.close()
