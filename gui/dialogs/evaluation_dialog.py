"""Judging a synthetic set: what is compared with what, what has been found so far, and the way to the report."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import (
    QButtonGroup,
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gui.desktop import open_path
from gui.i18n import tr, translate
from gui.state.evaluation import PLACES, EvaluationModel, EvaluationState, Kind
from gui.theme.tokens import GAP, GAP_LARGE, GAP_SMALL, GRID
from gui.widgets.buttons import icon_button, text_button
from gui.widgets.empty_state import EmptyState
from gui.widgets.finding_row import FindingRow
from gui.widgets.labels import ElidedLabel, label
from gui.widgets.typed import when_typed
from gui.widgets.warning_lines import WarningLines

SIZE = (940, 620)
CHOICES_WIDTH = 330
RESOLUTION = 1000


class EvaluationDialog(QDialog):
    """Shows an `EvaluationModel`; an evaluation goes on when the dialog is closed."""

    def __init__(self, model: EvaluationModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._shown = -1
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Evaluate"))
        self.setAccessibleName(tr("Evaluate a synthetic set"))
        self.resize(*SIZE)
        model.open()
        self.kinds = self._make_kinds()
        self.purpose = label("", "muted", wrap=True)
        self.synthetic = QLineEdit()
        self.lines: dict[str, QLineEdit] = {name: QLineEdit() for name in _names()}
        self.boxes: dict[str, QWidget] = {}
        self.findings = QVBoxLayout()
        self.empty = EmptyState("report", tr("Nothing measured yet"), tr("Findings appear here one by one."))
        self.verdict = label("", "title", wrap=True)
        self.notes = WarningLines()
        self.problem = label("", "problem", wrap=True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.bar = QProgressBar()
        self.words = ElidedLabel()
        self.copy = text_button(tr("Copy as command"), self._copy)
        self.report = text_button(tr("Open the report"), self._open_report)
        self.folder = text_button(tr("Open the folder"), self._open_folder)
        self.finish = text_button(tr("Close"), self.close)
        self.go = text_button(tr("Evaluate"), self._go)
        self._dress()
        self._lay_out()
        model.changed.connect(self._show)
        model.progressed.connect(self._show_progress)
        model.ended.connect(self._tell_end)
        self._show()

    def _make_kinds(self) -> dict[Kind, QPushButton]:
        quality, utility = text_button(tr("Quality")), text_button(tr("Usefulness"))
        quality.setToolTip(tr("How near to real photographs, how varied, and whether training photographs are copied"))
        utility.setToolTip(tr("Whether a classifier gets better when it learns from the images too"))
        group = QButtonGroup(self)
        kinds: dict[Kind, QPushButton] = {"evaluate": quality, "utility": utility}
        for kind, button in kinds.items():
            button.setCheckable(True)
            group.addButton(button)
            button.clicked.connect(partial(self._choose_kind, kind))
        return kinds

    def _dress(self) -> None:
        self.go.setObjectName("primary")
        self.bar.setRange(0, RESOLUTION)
        self.bar.setTextVisible(False)
        for widget, words in (
            (self.bar, tr("Progress of the evaluation")),
            (self.synthetic, tr("Folder of the generated images")),
            *((self.lines[name], words) for name, words in _hints().items()),
        ):
            widget.setAccessibleName(words)
            widget.setToolTip(words)
        self.copy.setToolTip(tr("Copy a command line that does the same"))
        self.report.setToolTip(tr("Open the finished report in the browser"))
        self.folder.setToolTip(tr("Show the findings in the file manager"))
        self.finish.setToolTip(tr("Close; an evaluation goes on"))
        when_typed(self.synthetic, self._choose_synthetic)
        for name, line in self.lines.items():
            when_typed(line, partial(self._choose_place, name))

    def _lay_out(self) -> None:
        columns = QHBoxLayout()
        columns.setSpacing(GAP_LARGE)
        columns.addWidget(self._choices())
        columns.addLayout(self._found(), 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP_SMALL)
        buttons.addWidget(self.copy)
        buttons.addWidget(self.words, 1)
        for button in (self.folder, self.report, self.finish, self.go):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_LARGE, GAP_LARGE, GAP_LARGE)
        layout.setSpacing(GAP)
        layout.addLayout(columns, 1)
        layout.addWidget(self.problem)
        layout.addWidget(self.bar)
        layout.addLayout(buttons)

    def _choices(self) -> QWidget:
        self.choices = QWidget()
        self.choices.setFixedWidth(CHOICES_WIDTH)
        layout = QVBoxLayout(self.choices)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        row = QHBoxLayout()
        row.setSpacing(GAP_SMALL)
        for button in self.kinds.values():
            row.addWidget(button, 1)
        layout.addLayout(row)
        layout.addWidget(self.purpose)
        layout.addWidget(self._place_box(tr("Generated images"), self.synthetic, self._browse_synthetic))
        for name, title in _titles().items():
            self.boxes[name] = self._place_box(title, self.lines[name], partial(self._browse, name))
            layout.addWidget(self.boxes[name])
        layout.addStretch(1)
        return self.choices

    def _place_box(self, title: str, line: QLineEdit, browse: object) -> QWidget:
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, GAP_SMALL, 0, 0)
        layout.setSpacing(GRID)
        row = QHBoxLayout()
        row.setSpacing(GAP_SMALL)
        row.addWidget(line, 1)
        row.addWidget(icon_button("folder", tr("Choose a folder: {title}").format(title=title), browse, flat=False))  # type: ignore[arg-type]
        layout.addWidget(label(title, "title"))
        layout.addLayout(row)
        return box

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
        column = QVBoxLayout()
        column.setSpacing(GAP_SMALL)
        column.addWidget(self.verdict)
        column.addWidget(self.empty, 1)
        column.addWidget(self.area, 1)
        column.addWidget(self.notes)
        return column

    def _show(self) -> None:
        model, choice = self._model, self._model.choice
        self.kinds[choice.kind].setChecked(True)
        self.purpose.setText(_purposes()[choice.kind])
        _put(self.synthetic, str(choice.synthetic))
        for name, line in self.lines.items():
            _put(line, choice.place(name))
            self.boxes[name].setVisible(name in PLACES[choice.kind])
        self.choices.setEnabled(not model.busy)
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
                self.findings.count() - 1, FindingRow(finding.title, finding.level, finding.verdict)
            )
        self._shown = len(model.findings)
        self.empty.setVisible(not model.findings)
        self.area.setVisible(bool(model.findings))
        self.verdict.setText(model.verdict)
        self.verdict.setVisible(bool(model.verdict))
        self.notes.show_warnings(model.notes)
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
            self.words.setText(tr("Stopping…") if ending else model.words or tr("Starting…"))

    def _show_buttons(self) -> None:
        model = self._model
        self.go.setText(tr("Stop") if model.busy else tr("Evaluate"))
        self.go.setToolTip(tr("Stop; what is computed is kept") if model.busy else tr("Measure the chosen images"))
        self.go.setAccessibleName(self.go.text())
        self.go.setEnabled(model.can_start or model.state is EvaluationState.RUNNING)
        self.report.setVisible(model.report is not None)
        self.folder.setVisible(model.report is not None)
        self.copy.setEnabled(model.choice.is_complete)

    def _choose_kind(self, kind: Kind) -> None:
        self._model.choose(kind=kind)

    def _choose_synthetic(self) -> None:
        text = self.synthetic.text().strip()
        if text and text != str(self._model.choice.synthetic):
            self._model.choose(synthetic=Path(text).expanduser().absolute())

    def _choose_place(self, name: str) -> None:
        text = self.lines[name].text().strip()
        if text != self._model.choice.place(name):
            self._model.choose_place(name, text)

    def _browse_synthetic(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Generated images"), str(self._model.choice.synthetic))
        if folder:
            self._model.choose(synthetic=Path(folder))

    def _browse(self, name: str) -> None:
        start = self._model.choice.place(name) or str(Path.home())
        folder = QFileDialog.getExistingDirectory(self, _titles()[name], start)
        if folder:
            self._model.choose_place(name, folder)

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

    def _open_folder(self) -> None:
        if self._model.output:
            open_path(self._model.output)

    def _tell_end(self, words: str) -> None:
        self.words.setText(translate(words))


def _names() -> list[str]:
    return list(dict.fromkeys(name for places in PLACES.values() for name in places))


def _titles() -> dict[str, str]:
    return {
        "real": tr("Real photographs, not learnt from"),
        "train": tr("Photographs to learn from"),
        "test": tr("Photographs to test with"),
        "masks": tr("Lesion masks, if there are"),
    }


def _hints() -> dict[str, str]:
    return {
        "real": tr("Photographs of lesions that the generator has not seen"),
        "train": tr(
            "Photographs that the generator, or the classifier, learns from; one data set is divided by lesion"
        ),
        "test": tr("Photographs of other lesions, which nothing is chosen by"),
        "masks": tr("Masks that the images were asked to follow, named like them"),
    }


def _purposes() -> dict[Kind, str]:
    return {
        "evaluate": tr("How near to real photographs is the set, how varied, and does it copy what was learnt from?"),
        "utility": tr("Does a classifier get better with the set, at the same number of steps? This takes long."),
    }


def _put(line: QLineEdit, text: str) -> None:
    if not line.hasFocus() and line.text() != text:
        line.setText(text)
