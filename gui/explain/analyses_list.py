"""The analyses of trajectories: how each stands, and what can be done with it."""

from __future__ import annotations

from functools import partial
from typing import Final

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from gui.explain.analyses import ACTIVE, AnalysesModel
from gui.explain.analysis_store import Analysis, AnalysisState
from gui.explain.analysis_words import progress_of, title_of
from gui.i18n import tr, translate
from gui.theme.tokens import GRID
from gui.widgets.buttons import icon_button
from gui.widgets.icon_label import IconLabel
from gui.widgets.labels import ElidedLabel, label
from gui.widgets.vertical_scroll import VerticalScroll

ICONS: Final = {
    AnalysisState.WAITING: ("waiting", "muted"),
    AnalysisState.RUNNING: ("start", "accent"),
    AnalysisState.STOPPING: ("stop", "doubt"),
    AnalysisState.INTERRUPTED: ("interrupted", "doubt"),
    AnalysisState.DONE: ("green", "evidence"),
    AnalysisState.FAILED: ("error", "none"),
}
THOUSANDTHS: Final = 1000


class AnalysesList(QWidget):
    """Shows an `AnalysesModel`; hidden while there is nothing to show.

    Signals
    -------
    opened
        The report of an analysis is to be shown; carries its folder.
    """

    opened = pyqtSignal(object)

    def __init__(self, model: AnalysesModel) -> None:
        super().__init__()
        self._model = model
        self._rows: dict[str, AnalysisRow] = {}
        inside = QWidget()
        self._layout = QVBoxLayout(inside)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GRID)
        self._layout.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(label(tr("Analyses of trajectories"), "title"))
        layout.addWidget(VerticalScroll(inside), 1)
        model.listed.connect(self._list)
        model.changed.connect(self._show)
        self._list()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self._model.analyses

    @property
    def rows(self) -> tuple[AnalysisRow, ...]:
        """The rows, in order."""
        return tuple(self._rows[analysis.key] for analysis in self._model.analyses)

    def _list(self) -> None:
        keys = [analysis.key for analysis in self._model.analyses]
        for key in [key for key in self._rows if key not in keys]:
            self._rows.pop(key).deleteLater()
        for analysis in self._model.analyses:
            if analysis.key not in self._rows:
                self._rows[analysis.key] = row = self._make_row(analysis.key)
                self._layout.insertWidget(self._layout.count() - 1, row)
            self._rows[analysis.key].show_analysis(analysis)
        self.setVisible(bool(keys))

    def _make_row(self, key: str) -> AnalysisRow:
        row = AnalysisRow()
        row.stop.clicked.connect(partial(self._model.stop, key))
        row.go_on.clicked.connect(partial(self._model.go_on, key))
        row.remove.clicked.connect(partial(self._model.remove, key))
        row.open.clicked.connect(partial(self._open, key))
        return row

    def _open(self, key: str) -> None:
        analysis = self._model.get(key)
        if analysis and analysis.folder:
            self.opened.emit(analysis.folder)

    def _show(self, key: str) -> None:
        analysis = self._model.get(key)
        if analysis and key in self._rows:
            self._rows[key].show_analysis(analysis)


class AnalysisRow(QFrame):
    """One analysis: icon, words, progress and buttons."""

    def __init__(self) -> None:
        super().__init__()
        self._icon = IconLabel("waiting", "muted")
        self.title = ElidedLabel()
        self.words = ElidedLabel()
        self.words.setProperty("role", "muted")
        self.bar = QProgressBar()
        self.bar.setRange(0, THOUSANDTHS)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(GRID)
        self.open = icon_button("report", tr("Show the report"))
        self.stop = icon_button("stop", tr("Stop; what is finished is kept"))
        self.go_on = icon_button("start", tr("Continue"))
        self.remove = icon_button("remove", tr("Remove from the list; the files stay"))
        text = QVBoxLayout()
        text.setSpacing(0)
        for part in (self.title, self.words, self.bar):
            text.addWidget(part)
        line = QHBoxLayout(self)
        line.setContentsMargins(GRID, 0, 0, 0)
        line.setSpacing(GRID)
        line.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(text, 1)
        for button in (self.open, self.stop, self.go_on, self.remove):
            line.addWidget(button)

    def show_analysis(self, analysis: Analysis) -> None:
        """Show how an analysis stands."""
        state, words = analysis.state, translate(progress_of(analysis))
        self._icon.show_icon(*ICONS[state])
        self.title.setText(title_of(analysis.request))
        self.words.setText(words)
        self.bar.setValue(round(THOUSANDTHS * analysis.fraction))
        self.bar.setVisible(state in ACTIVE)
        self.bar.setAccessibleName(tr("Progress of the analysis"))
        self.bar.setToolTip(words)
        self.setAccessibleName(f"{self.title.text()}: {words}")
        self.open.setVisible(state is AnalysisState.DONE)
        self.stop.setVisible(state in (AnalysisState.RUNNING, AnalysisState.WAITING))
        self.go_on.setVisible(state in (AnalysisState.INTERRUPTED, AnalysisState.FAILED))
        self.remove.setVisible(state not in ACTIVE)
