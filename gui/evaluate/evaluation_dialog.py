"""Judging a synthetic set: what is compared with what, what has been found so far, and the way to the report."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gui.common.desktop import open_path
from gui.evaluate.evaluation import EvaluationModel, EvaluationState
from gui.evaluate.evaluation_choice import EvaluationChoice
from gui.evaluate.evaluation_choices import EvaluationChoices, place_titles
from gui.evaluate.finding_row import FindingRow
from gui.i18n import tr, translate
from gui.theme.tokens import GAP, GAP_LARGE, GAP_SMALL, GRID
from gui.widgets.bounded import Bounded
from gui.widgets.buttons import text_button
from gui.widgets.empty_state import EmptyState
from gui.widgets.fitting import fit
from gui.widgets.labels import ElidedLabel, label
from gui.widgets.vertical_scroll import VerticalScroll
from gui.widgets.warning_lines import WarningLines

SIZE = (940, 620)
RESOLUTION = 1000
CHOICES_WIDTH = 346
MOST_PROBLEM, MOST_NOTES = 72, 112
"""Heights at most, in pixels; what is longer is scrolled."""


class EvaluationDialog(QDialog):
    """Shows an `EvaluationModel`; an evaluation goes on when the dialog is closed.

    Signals
    -------
    export_wanted
        The images that a curation keeps are to be exported; carries its path.
    """

    export_wanted = pyqtSignal(object)

    def __init__(self, model: EvaluationModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._shown = -1
        self._kind = model.choice.kind
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Evaluate"))
        self.setAccessibleName(tr("Evaluate a synthetic set"))
        fit(self, SIZE)
        model.open()
        self.choices = EvaluationChoices(model)
        self.findings = QVBoxLayout()
        self.empty = EmptyState("report", tr("Nothing measured yet"), tr("Findings appear here one by one."))
        self.verdict = label("", "title", wrap=True)
        self.notes = WarningLines()
        self.problem = label("", "problem", wrap=True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.bar = QProgressBar()
        self.words = ElidedLabel()
        self.needed = ElidedLabel()
        self.copy = text_button(tr("Copy as command"), self._copy)
        self.report = text_button(tr("Open the report"), self._open_report)
        self.folder = text_button(tr("Open the folder"), self._open_folder)
        self.export = text_button(tr("Export the kept images…"), self._export)
        self.finish = text_button(tr("Close"), self.close)
        self.go = text_button(tr("Evaluate"), self._go)
        self._dress()
        self._lay_out()
        model.changed.connect(self._show)
        model.progressed.connect(self._show_progress)
        model.ended.connect(self._tell_end)
        self.finished.connect(model.leave_photographs)
        self._show()

    def _dress(self) -> None:
        self.go.setObjectName("primary")
        self.bar.setRange(0, RESOLUTION)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress of the evaluation"))
        self.bar.setToolTip(tr("Progress of the evaluation"))
        self.copy.setToolTip(tr("Copy the equivalent command line"))
        self.report.setToolTip(tr("Open the finished report in the browser"))
        self.folder.setToolTip(tr("Show the findings in the file manager"))
        self.finish.setToolTip(tr("Close; a running evaluation continues"))
        self.export.setToolTip(tr("Make a data set of the kept images"))

    def _lay_out(self) -> None:
        columns = QHBoxLayout()
        columns.setSpacing(GAP_LARGE)
        choices = VerticalScroll(self.choices)
        choices.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        choices.setFixedWidth(CHOICES_WIDTH)
        columns.addWidget(choices)
        columns.addLayout(self._found(), 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP_SMALL)
        buttons.addWidget(self.copy)
        buttons.addWidget(self.words, 1)
        buttons.addWidget(self.needed, 1)
        for button in (self.folder, self.report, self.export, self.finish, self.go):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_LARGE, GAP_LARGE, GAP_LARGE)
        layout.setSpacing(GAP)
        layout.addLayout(columns, 1)
        layout.addWidget(Bounded(self.problem, MOST_PROBLEM))
        layout.addWidget(self.bar)
        layout.addLayout(buttons)

    def _found(self) -> QVBoxLayout:
        inner = QWidget()
        inner.setObjectName("scrolled")
        self.findings.setContentsMargins(0, 0, GAP_SMALL, 0)
        self.findings.setSpacing(GRID)
        self.findings.addStretch(1)
        inner.setLayout(self.findings)
        self.area = QScrollArea()
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidgetResizable(True)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(inner)
        self.area.verticalScrollBar().rangeChanged.connect(self._follow)
        column = QVBoxLayout()
        column.setSpacing(GAP_SMALL)
        column.addWidget(Bounded(self.verdict, MOST_PROBLEM))
        column.addWidget(self.empty, 1)
        column.addWidget(self.area, 1)
        column.addWidget(Bounded(self.notes, MOST_NOTES))
        return column

    def _follow(self, _least: int, most: int) -> None:
        """Keep the newest finding in sight while they come in."""
        if self._model.busy:
            self.area.verticalScrollBar().setValue(most)

    def _show(self) -> None:
        if self._kind != self._model.choice.kind:  # what was said was about another question
            self._kind = self._model.choice.kind
            self.words.clear()
        self.choices.show_choice()
        self._show_findings()
        self._show_progress()
        self._show_buttons()

    def _show_findings(self) -> None:
        model = self._model
        if len(model.findings) < self._shown:
            self._forget_rows()
        self._shown = max(self._shown, 0)
        for finding in model.findings[self._shown :]:
            self.findings.insertWidget(
                self.findings.count() - 1,
                FindingRow(translate(finding.title), finding.level, translate(finding.verdict)),
            )
        self._shown = len(model.findings)
        is_empty = not (model.findings or model.verdict)
        self.empty.setVisible(is_empty)
        self.area.setVisible(not is_empty)
        self.verdict.setText(translate(model.verdict))
        self.verdict.setVisible(bool(model.verdict))
        self.notes.show_warnings([translate(note) for note in model.notes])
        problem = model.problem
        self.problem.setText(f"{translate(problem.message)} {translate(problem.remedy)}".strip() if problem else "")
        self.problem.setVisible(problem is not None)

    def _forget_rows(self) -> None:
        while self.findings.count() > 1:
            row = self.findings.takeAt(0).widget()
            if row:
                row.deleteLater()
        self._shown = 0

    def _show_progress(self) -> None:
        model = self._model
        self.bar.setVisible(model.busy)
        self.bar.setValue(round(model.fraction * RESOLUTION))
        if model.busy:
            ending = model.state is EvaluationState.STOPPING
            self.words.setText(tr("Stopping…") if ending else translate(model.words) or tr("Starting…"))

    def _show_buttons(self) -> None:
        model = self._model
        begin = tr("Continue") if model.goes_on else tr("Evaluate")
        self.go.setText(tr("Stop") if model.busy else begin)
        needed = _needed(model.choice)
        self.needed.setText(needed)
        self.needed.setVisible(bool(needed))
        self.words.setVisible(not needed)
        ready = needed or tr("Measure the chosen images")
        self.go.setToolTip(tr("Stop; what is computed is kept") if model.busy else ready)
        self.go.setAccessibleName(self.go.text())
        self.go.setEnabled(model.can_start or model.state is EvaluationState.RUNNING)
        self.report.setVisible(model.report is not None)
        is_table = model.report is not None and model.report.suffix == ".csv"
        self.report.setText(tr("Open the decisions") if is_table else tr("Open the report"))
        self.folder.setVisible(model.report is not None)
        self.export.setVisible(model.exportable is not None)
        self.copy.setEnabled(model.choice.is_complete)

    def _go(self) -> None:
        if self._model.busy:
            self._model.stop()
        else:
            self._model.start()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._model.command)
        self.words.setText(tr("The command line was copied."))

    def _open_report(self) -> None:
        if self._model.report:
            open_path(self._model.report)

    def _export(self) -> None:
        if curation := self._model.exportable:
            self.export_wanted.emit(curation)

    def _open_folder(self) -> None:
        if self._model.output:
            open_path(self._model.output)

    def _tell_end(self, words: str) -> None:
        self.words.setText(translate(words))


def _needed(choice: EvaluationChoice) -> str:
    """Return what has to be named before it can begin, or nothing."""
    titles = place_titles()
    missing = ", ".join(titles[name] for name in choice.missing)
    return tr("Still needed: {what}").format(what=missing) if missing else ""
