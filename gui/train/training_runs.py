"""The runs there are: how far, how good, and what can be done with each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QHBoxLayout, QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from core.message import Message
from gui.common.desktop import open_path
from gui.i18n import tr, translate
from gui.i18n.numbers import moment, number, size_text
from gui.theme.tokens import GAP_SMALL
from gui.train.run_list import RunEntry
from gui.train.training import TrainingModel
from gui.widgets.buttons import icon_button, text_button

FOLDER_ROLE = int(Qt.ItemDataRole.UserRole)
BEST = 4
NUMBERS = (3, BEST, 5)


class TrainingRuns(QWidget):
    """Lists the runs of a `TrainingModel`."""

    def __init__(self, model: TrainingModel, show_curves: Callable[[], object]) -> None:
        super().__init__()
        self._model, self._show_curves = model, show_curves
        self.list = self._make_list()
        self.curves = text_button(tr("Show its curves"), self._look_up)
        self.use = text_button(tr("Use this model"), self._use)
        self.resume = text_button(tr("Continue"), self._resume)
        self.report = icon_button("report", tr("Open the report of the chosen run"), self._open_report)
        self.folder = icon_button("folder", tr("Show the folder of the chosen run"), self._open_folder)
        self.again = icon_button("again", tr("Refresh the list"), model.look_at_runs)
        self._explain_buttons()
        self._lay_out()
        self.list.currentItemChanged.connect(self._allow)
        self.list.itemActivated.connect(self._look_up)
        model.listed.connect(self._fill)
        model.changed.connect(self._allow)
        self._fill()

    @property
    def chosen(self) -> RunEntry | None:
        """The chosen run."""
        item = self.list.currentItem()
        folder = item.data(0, FOLDER_ROLE) if item else None
        return next((entry for entry in self._model.runs if str(entry.run.folder) == folder), None)

    def _make_list(self) -> QTreeWidget:
        view = QTreeWidget()
        view.setHeaderLabels([tr("Run"), tr("Type"), tr("State"), tr("Images"), tr("Best"), tr("Size"), tr("Started")])
        view.setRootIsDecorated(False)
        view.setUniformRowHeights(True)
        view.setProperty("roomy", True)
        view.setAccessibleName(tr("Training runs"))
        view.setToolTip(tr("Training runs; Return shows the curves of one"))
        header = view.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        return view

    def _explain_buttons(self) -> None:
        self.curves.setToolTip(tr("Show the curves and the newest samples of the chosen run"))
        self.use.setToolTip(tr("Generate, or classify and explain, with the model of the chosen run"))
        self.resume.setToolTip(tr("Resume the chosen run where it ended"))

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(GAP_SMALL)
        for button in (self.curves, self.use, self.resume):
            row.addWidget(button)
        row.addStretch(1)
        for icon in (self.report, self.folder, self.again):
            row.addWidget(icon)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GAP_SMALL, 0, 0)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(self.list, 1)
        layout.addLayout(row)

    def _fill(self) -> None:
        chosen = self.chosen.run.folder if self.chosen else None
        self.list.clear()
        for entry in self._model.runs:
            item = self._item(entry)
            self.list.addTopLevelItem(item)
            if entry.run.folder == chosen:
                self.list.setCurrentItem(item)
        for folder, problem in self._model.damaged.items():
            self.list.addTopLevelItem(_damaged_item(folder, problem))
        self._allow()

    def _item(self, entry: RunEntry) -> QTreeWidgetItem:
        run = entry.run
        cells = [
            run.name,
            _kind_words(run.kind),
            tr("in use") if self._model.is_used(entry) else _status_words(run.status),
            number(run.images),
            number(run.metric.value, 3) if run.metric else "–",
            size_text(run.size),
            moment(run.date),
        ]
        item = QTreeWidgetItem(cells)
        item.setData(0, FOLDER_ROLE, str(run.folder))
        item.setToolTip(0, str(run.folder))
        item.setToolTip(BEST, str(run.metric) if run.metric else tr("nothing measured yet"))
        for column in NUMBERS:
            item.setTextAlignment(column, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter))
        return item

    def _allow(self) -> None:
        entry = self.chosen
        self.curves.setEnabled(entry is not None)
        self.folder.setEnabled(self.list.currentItem() is not None)
        self.use.setEnabled(entry is not None and entry.model is not None and not self._model.is_used(entry))
        self.resume.setEnabled(entry is not None and entry.can_resume and not self._model.busy)
        self.report.setEnabled(entry is not None and entry.report is not None)

    def _look_up(self) -> None:
        if self.chosen:
            self._model.look_up(self.chosen)
            self._show_curves()

    def _use(self) -> None:
        if self.chosen:
            self._model.use(self.chosen)
            self._fill()

    def _resume(self) -> None:
        if self.chosen:
            self._model.resume(self.chosen)
            self._show_curves()

    def _open_report(self) -> None:
        if self.chosen and self.chosen.report:
            open_path(self.chosen.report)

    def _open_folder(self) -> None:
        item = self.list.currentItem()
        if item:
            open_path(Path(item.data(0, FOLDER_ROLE)))


def _damaged_item(folder: Path, problem: Message) -> QTreeWidgetItem:
    """Return the line of a run that cannot be read: what is wrong stands in its tooltip and is read aloud."""
    item = QTreeWidgetItem([folder.name, "–", tr("damaged")])
    item.setData(0, FOLDER_ROLE, str(folder))
    words = f"{folder}: {translate(problem)}"
    for column in range(item.columnCount()):
        item.setToolTip(column, words)
    item.setData(2, int(Qt.ItemDataRole.AccessibleDescriptionRole), words)
    return item


def _kind_words(kind: str) -> str:
    return tr("Generator") if kind == "diffusion" else tr("Classifier")


def _status_words(status: str) -> str:
    return {"running": tr("running"), "finished": tr("finished"), "interrupted": tr("not finished")}[status]
