"""Asked when the window is closed while something other than a run or a training goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QMessageBox, QPushButton, QWidget

from gui.i18n import tr

if TYPE_CHECKING:
    from gui.shell.session import Session


def work_of(session: Session) -> tuple[str, ...]:
    """Return what would be stopped if the window closed now, and what is kept of it, one sentence each."""
    sentences = (
        (session.analyses.busy, tr("An analysis: finished parts are kept, and it can be continued at the next start.")),
        (session.evaluation.busy, tr("An evaluation: computed features and finished trainings are kept.")),
        (session.dataset_export.is_writing, tr("An export: nothing is left of it.")),
        (session.model_download.busy, tr("A download: what has arrived is kept, and the next one continues it.")),
    )
    return tuple(words for busy, words in sentences if busy)


class CloseWorkDialog(QMessageBox):
    """Says what is in progress, and offers to stop it and close, or to go on."""

    def __init__(self, work: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Work is in progress"))
        self.setIcon(QMessageBox.Icon.NoIcon)
        self.setText(tr("Work is in progress. Stop it and close?"))
        self.setInformativeText("\n".join(work))
        self.stop_button: QPushButton = self.addButton(tr("Stop and close"), QMessageBox.ButtonRole.AcceptRole)
        self.go_on_button: QPushButton = self.addButton(tr("Continue"), QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.go_on_button)
