"""The lowest line: engine, models, classes, colour statistics, memory, and what this program is not."""

from __future__ import annotations

from PyQt5.QtWidgets import QLabel, QSizePolicy, QStatusBar

from gui.common.engine_model import EngineState
from gui.i18n import mark, tr
from gui.shell.session import Session
from gui.theme.palette import tabular
from gui.theme.tokens import GAP_LARGE
from gui.widgets.labels import ElidedLabel, label

ENGINE_WORDS = {
    EngineState.COLD: mark("Engine: waiting"),
    EngineState.STARTING: mark("Engine: starting…"),
    EngineState.READY: mark("Engine: ready"),
    EngineState.FAILED: mark("Engine: not available"),
}


class StatusLine(QStatusBar):
    """Facts, separated by room; the disclaimer is always there."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setSizeGripEnabled(False)
        self.engine = self._part()
        self.device = self._part()
        self.models = self._part()
        self.colors = self._part()
        self.memory = self._part()
        self.memory.setFont(tabular(self.memory.font()))
        self.addPermanentWidget(label(tr("Research only, not a diagnosis"), "title"))
        session.engine.changed.connect(self._show_engine)
        session.catalog.changed.connect(self._show_models)
        session.settings.changed.connect(self._show_all)
        session.memory.changed.connect(self._show_memory)
        session.run.progress_changed.connect(self._show_engine)
        self._show_all()

    def _part(self) -> QLabel:
        made = ElidedLabel()
        made.setProperty("role", "muted")
        made.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        made.setContentsMargins(0, 0, GAP_LARGE, 0)
        self.addWidget(made)
        return made

    def _show_all(self) -> None:
        self._show_engine()
        self._show_models()
        self._show_memory()

    def _show_engine(self) -> None:
        session = self._session
        self.engine.setText(tr(ENGINE_WORDS[session.engine.state]))
        started = session.run.started
        device = f"{started.device}, {started.precision}" if started else session.settings.get("generation.device")
        self.device.setText(tr("Device: {device}").format(device=device))

    def _show_models(self) -> None:
        catalog = self._session.catalog
        wanted = self._session.settings.get("generation.color")
        on = catalog.has_color_statistics and wanted
        self.models.setText(catalog.title or tr("reading the models…"))
        state = tr("on") if on else tr("off") if catalog.has_color_statistics else tr("none")
        state = "…" if catalog.catalog is None else state
        self.colors.setText(tr("Colour statistics: {state}").format(state=state))

    def _show_memory(self) -> None:
        self.memory.setText(tr("Memory {memory}").format(memory=self._session.memory.memory.text()))
