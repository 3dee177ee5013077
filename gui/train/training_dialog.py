"""Training: choices on the left, the training that goes on and the runs there are on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QDialog, QFrame, QHBoxLayout, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from gui.common.photograph_report import problem_words
from gui.i18n import tr, translate
from gui.theme.tokens import GAP, GAP_LARGE, GAP_SMALL
from gui.train.training import TrainingState
from gui.train.training_choices import TrainingChoices
from gui.train.training_progress import TrainingProgress
from gui.train.training_runs import TrainingRuns
from gui.widgets.bounded import Bounded
from gui.widgets.buttons import text_button
from gui.widgets.fitting import fit
from gui.widgets.labels import ElidedLabel, label
from gui.widgets.wheel_guard import WheelGuard

if TYPE_CHECKING:
    from gui.shell.session import Session


SIZE = (1000, 660)
CHOICES_WIDTH = 330
MOST_PROBLEM = 72
"""Its height at most, in pixels; what is longer is scrolled."""


class TrainingDialog(QDialog):
    """Shows the training of a session; a training goes on when the dialog is closed."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = session.training
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Train"))
        self.setAccessibleName(tr("Train a generator or a classifier"))
        fit(self, SIZE)
        self._model.open()
        self.choices = TrainingChoices(session)
        self.progress = TrainingProgress(self._model)
        self.tabs = QTabWidget()
        self.runs = TrainingRuns(self._model, self.show_curves)
        self.problem = label("", "problem", wrap=True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.copy = text_button(tr("Copy as command"), self._copy)
        self.status = ElidedLabel()
        self.finish = text_button(tr("Close"), self.close)
        self.go = text_button(tr("Train"), self._go)
        self._dress()
        self._lay_out()
        self._model.changed.connect(self._show)
        self._model.ended.connect(self._tell_end)
        self.finished.connect(self._model.check.stop)
        self._show()

    def show_curves(self) -> None:
        """Go to the curves."""
        self.tabs.setCurrentIndex(0)

    def _dress(self) -> None:
        self.go.setObjectName("primary")
        self.copy.setToolTip(tr("Copy the command line of the same training"))
        self.finish.setToolTip(tr("Close; a running training continues"))
        self.tabs.addTab(self.progress, tr("Training"))
        self.tabs.addTab(self.runs, tr("Runs"))
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAccessibleName(tr("Training or runs"))
        self.tabs.tabBar().setToolTip(tr("Training or runs"))

    def _lay_out(self) -> None:
        columns = QHBoxLayout()
        columns.setSpacing(GAP_LARGE)
        columns.addWidget(self._scrolled_choices())
        columns.addWidget(self.tabs, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_LARGE, GAP_LARGE, GAP_LARGE)
        layout.setSpacing(GAP)
        layout.addLayout(columns, 1)
        layout.addWidget(Bounded(self.problem, MOST_PROBLEM))
        row = QHBoxLayout()
        row.setSpacing(GAP_SMALL)
        row.addWidget(self.copy)
        row.addWidget(self.status, 1)
        row.addWidget(self.finish)
        row.addWidget(self.go)
        layout.addLayout(row)

    def _scrolled_choices(self) -> QScrollArea:
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setFixedWidth(CHOICES_WIDTH)
        self.choices.setObjectName("scrolled")
        area.setWidget(self.choices)
        WheelGuard(self.choices)
        return area

    def _show(self) -> None:
        model = self._model
        self.choices.show_choice()
        self.choices.setEnabled(not model.busy)
        words = problem_words(model.problem or model.check.problem)
        self.problem.setText(words)
        self.problem.setVisible(bool(words))
        self.go.setText(tr("Stop") if model.busy else tr("Train"))
        self.go.setToolTip(
            tr("Stop and save; the training can be resumed later") if model.busy else tr("Start a new training")
        )
        self.go.setAccessibleName(self.go.text())
        self.go.setEnabled(model.can_train or (model.busy and model.state is not TrainingState.STOPPING))
        self.copy.setEnabled(model.choice.data is not None)

    def _go(self) -> None:
        if self._model.busy:
            self._model.stop()
        else:
            self.status.setText("")  # how the one before ended is no news of this one
            self._model.start()
            self.show_curves()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._model.command)
        self.status.setText(tr("The command line was copied."))

    def _tell_end(self, words: str) -> None:
        self.status.setText(translate(words))
