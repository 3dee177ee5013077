"""Export for training: choices on the left, what will be written on the right."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QDialog, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from dataset.export.request import ExportFinished
from gui.common.desktop import open_path
from gui.gallery.count_table import CountTable
from gui.gallery.dataset_export import DatasetExportModel, ExportState, Preview
from gui.gallery.export_choices import ExportChoices
from gui.gallery.folder_tree import FolderTree
from gui.i18n import tr, translate
from gui.i18n.numbers import size_text
from gui.theme.tokens import GAP, GAP_LARGE, GAP_SMALL
from gui.widgets.bounded import Bounded
from gui.widgets.buttons import icon_button, text_button
from gui.widgets.fitting import fit
from gui.widgets.labels import ElidedLabel, label
from gui.widgets.vertical_scroll import VerticalScroll
from gui.widgets.warning_lines import WarningLines

SIZE = (900, 690)
CHOICES_WIDTH = 356
MOST_PROBLEM, MOST_WARNINGS = 72, 96
"""Heights at most, in pixels; what is longer is scrolled."""

NAMED = 20
"""Files that cannot be exported whose reasons the tooltip tells."""


class ExportDialog(QDialog):
    """Shows a `DatasetExportModel` and lets it be changed; an export that is being written goes on without it.

    Parameters
    ----------
    curation
        The one to begin with, if any.
    """

    def __init__(
        self, model: DatasetExportModel, parent: QWidget | None = None, *, curation: Path | None = None
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._shown: Preview | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Export for training"))
        self.setAccessibleName(tr("Export for training"))
        fit(self, SIZE)
        model.open(curation)
        self.choices = ExportChoices(model)
        self.summary = label("", "title", wrap=True)
        self.again = icon_button("again", tr("Check the images again"), model.look)
        self.tree = FolderTree()
        self.counts = CountTable()
        self.warnings = WarningLines()
        self.problem = label("", "problem", wrap=True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.progress = QProgressBar()
        self.status = ElidedLabel("", Qt.TextElideMode.ElideMiddle)
        self.copy = text_button(tr("Copy as command"), self._copy)
        self.folder = text_button(tr("Open the folder"), self._open_folder)
        self.go = text_button(tr("Export"), self._go)
        self.finish = text_button(tr("Close"), self.close)
        self._dress()
        self._lay_out()
        model.changed.connect(self._show)
        model.progressed.connect(self._show_progress)
        self.finished.connect(model.leave)
        self._show()

    def _dress(self) -> None:
        self.go.setObjectName("primary")
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(tr("Progress"))
        self.progress.setToolTip(tr("Progress"))
        self.copy.setToolTip(tr("Copy the command line of the same export"))
        self.folder.setToolTip(tr("Show the exported folder in the file manager"))
        self.finish.setToolTip(tr("Close; a running export continues"))

    def _lay_out(self) -> None:
        choices = VerticalScroll(self.choices)
        choices.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        choices.setFixedWidth(CHOICES_WIDTH)
        columns = QHBoxLayout()
        columns.setSpacing(GAP_LARGE)
        columns.addWidget(choices)
        columns.addLayout(self._preview(), 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_LARGE, GAP_LARGE, GAP_LARGE)
        layout.setSpacing(GAP)
        layout.addLayout(columns, 1)
        layout.addWidget(Bounded(self.problem, MOST_PROBLEM))
        layout.addWidget(self.progress)
        layout.addLayout(self._buttons())

    def _preview(self) -> QVBoxLayout:
        head = QHBoxLayout()
        head.addWidget(self.summary, 1)
        head.addWidget(self.again)
        column = QVBoxLayout()
        column.setSpacing(GAP_SMALL)
        column.addLayout(head)
        column.addWidget(self.tree, 1)
        column.addWidget(self.counts)
        column.addWidget(Bounded(self.warnings, MOST_WARNINGS))
        return column

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GAP_SMALL)
        row.addWidget(self.copy)
        row.addWidget(self.status, 1)
        for button in (self.folder, self.finish, self.go):
            row.addWidget(button)
        return row

    def _show(self) -> None:
        model = self._model
        self.choices.show_options()
        self.choices.setEnabled(not model.is_writing)
        self.again.setEnabled(not model.is_writing)
        self._show_preview()
        self._show_problem()
        self._show_progress()
        self._show_buttons()

    def _show_preview(self) -> None:
        preview = self._model.preview
        self.summary.setText(_summary(preview) if preview else tr("Checking the images…"))
        if preview is None or preview is self._shown:
            return
        self._shown = preview
        plan = preview.plan
        self.tree.show_folders(plan.options.target.name, plan.tree)
        self.counts.show_counts(plan.counts)
        self.warnings.show_warnings([translate(warning) for warning in plan.warnings])
        self.warnings.setToolTip("\n".join(translate(item.reason) for item in plan.left_out[:NAMED]))

    def _show_problem(self) -> None:
        problem = self._model.problem
        words = f"{translate(problem.message)} {translate(problem.remedy)}" if problem and not self._model.last else ""
        self.problem.setText(words)
        self.problem.setVisible(bool(words))

    def _show_progress(self) -> None:
        model = self._model
        busy = model.state is not ExportState.READY
        self.progress.setVisible(busy)
        self.progress.setRange(0, model.total)
        self.progress.setValue(model.done)
        self.status.setText(_status(model))

    def _show_buttons(self) -> None:
        model = self._model
        self.go.setText(tr("Stop") if model.is_writing else tr("Export"))
        self.go.setToolTip(
            tr("Stop; the partial export is deleted") if model.is_writing else tr("Write what is shown above")
        )
        self.go.setAccessibleName(self.go.text())
        self.go.setEnabled(model.state is ExportState.WRITING or model.can_export)
        self.folder.setVisible(model.last is not None)
        self.copy.setEnabled(not model.is_writing)

    def _go(self) -> None:
        if self._model.is_writing:
            self._model.stop()
        else:
            self._model.start()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._model.command)
        self.status.setText(tr("The command line was copied."))

    def _open_folder(self) -> None:
        if self._model.last:
            open_path(self._model.last.target)


def _summary(preview: Preview) -> str:
    plan = preview.plan
    if not plan.rows:
        return tr("Nothing to export")
    size = size_text(plan.bytes)
    if plan.options.zip:
        size = tr("{size} and an archive of {archive}").format(size=size, archive=size_text(plan.archive_bytes))
    words = tr("{images}, {files}, {size}")
    return words.format(images=tr("%n image(s)", plan.rows), files=tr("%n file(s)", plan.files), size=size)


def _status(model: DatasetExportModel) -> str:
    if model.state is ExportState.READY:
        return _written(model.last) if model.last else ""
    if model.state is ExportState.STOPPING:
        return tr("Stopping…")
    if model.unit == "files":
        return tr("Writing: {done} of {total} files").format(done=model.done, total=model.total)
    if model.unit == "images":
        return tr("{done} of {total} images checked").format(done=model.done, total=model.total)
    return ""


def _written(last: ExportFinished) -> str:
    return tr("Written: {path}").format(path=last.target)
