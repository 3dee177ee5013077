"""The explanation of the shown picture: maps side by side on one scale, and whether they are evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QSlider, QStackedWidget, QVBoxLayout, QWidget

from gui.common.engine_model import EngineState
from gui.common.problem import describe
from gui.explain.explain import ExplainState, ShownMap
from gui.explain.explain_controls import ExplainControls
from gui.explain.explain_facts import ExplainFacts
from gui.explain.map_grid import MapGrid
from gui.explain.maps_and_facts import MapsAndFacts
from gui.explain.xai_words import method_name
from gui.i18n import tr
from gui.theme.tokens import GAP, GAP_SMALL, GRID
from gui.widgets.buttons import text_button
from gui.widgets.empty_state import EmptyState
from gui.widgets.labels import ElidedLabel
from gui.widgets.picture_view import PictureView

if TYPE_CHECKING:
    from gui.shell.session import Session


class ExplainView(QWidget):
    """Shows an `ExplainModel`.

    Signals
    -------
    zoomed
        The maps have another magnification.
    """

    zoomed = pyqtSignal(float)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._model = session.explain
        self.controls = ExplainControls(session)
        self.grid = MapGrid()
        self.facts = ExplainFacts(session)
        self.empty = EmptyState("explain")
        self.retry = text_button(tr("Try again"), self._model.retry)
        self.progress = ElidedLabel()
        self.stop = text_button(tr("Stop"), self._model.cancel)
        self.working = self._make_working()
        self._pages = QStackedWidget()
        self._lay_out()
        self._connect()
        self._follow_opacity("xai.opacity")
        self._show()

    @property
    def view(self) -> PictureView:
        """The view that zoom keys act on; the others follow."""
        return self.grid.view

    @property
    def opacity(self) -> QSlider:
        """From the picture alone to the map alone."""
        return self.facts.opacity

    def set_pixels(self, shown: bool) -> None:
        """Show single pixels in every map."""
        self.grid.set_pixels(shown)

    def _lay_out(self) -> None:
        self._pages.addWidget(self._waiting())
        self._pages.addWidget(MapsAndFacts(self.grid, self.facts))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(self.controls)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self.working)

    def _connect(self) -> None:
        self._model.changed.connect(self._show)
        self._session.picture.changed.connect(self._show)
        self._session.run.state_changed.connect(self._show)
        self._session.engine.changed.connect(self._show)
        self.opacity.valueChanged.connect(self._choose_opacity)
        self._session.settings.changed.connect(self._follow_opacity)
        self.grid.chosen.connect(self._show_chosen)
        self.grid.pin_asked.connect(self._pin)
        self.grid.hovered.connect(self.facts.show_value)
        self.grid.zoomed.connect(self.zoomed)

    def _waiting(self) -> QWidget:
        page = QWidget()
        inside = QVBoxLayout(page)
        inside.setSpacing(GRID)
        inside.addWidget(self.empty, 1)
        inside.addWidget(self.retry, 0, Qt.AlignmentFlag.AlignHCenter)
        inside.addSpacing(GAP)
        return page

    def _make_working(self) -> QWidget:
        whole = QWidget()
        line = QHBoxLayout(whole)
        line.setContentsMargins(GRID, 0, 0, 0)
        line.setSpacing(GAP_SMALL)
        line.addWidget(self.progress, 1)
        line.addWidget(self.stop)
        return whole

    def _show(self) -> None:
        state = self._model.state
        self._pages.setCurrentIndex(1 if self._model.shown else 0)
        self.retry.setVisible(state in (ExplainState.FAILED, ExplainState.STOPPED))
        self._show_progress()
        if self._model.shown:
            self.grid.show_maps(self._model.shown)
        else:
            self.empty.say(*self._words())

    def _show_progress(self) -> None:
        busy = self._model.state is ExplainState.WORKING or self._model.testing is not None
        self.working.setVisible(busy or bool(self._model.shown and self._model.error))
        self.stop.setVisible(busy)
        self.progress.setText(self._progress_words())

    def _progress_words(self) -> str:
        waiting = self._model.waiting
        if self._model.state is ExplainState.WORKING and waiting:
            total = len(self._model.options.methods)
            words = tr("{method}… (map {number} of {total})")
            return words.format(method=method_name(waiting[0]), number=total - len(waiting) + 1, total=total)
        if self._model.testing is not None:
            return tr("Testing {method} against random maps…").format(method=method_name(self._model.testing.method))
        return describe(self._model.error).message if self._model.error else ""

    def _words(self) -> tuple[str, str]:
        state, error = self._model.state, self._model.error
        if state is ExplainState.WORKING and self._session.engine.state is EngineState.STARTING:
            return tr("The engine is still starting…"), tr("The explanation is computed as soon as it is ready.")
        if state is ExplainState.WORKING:
            return tr("Computing the explanation…"), self._progress_words()
        if state is ExplainState.STOPPED:
            return tr("Stopped"), tr("Nothing was kept; “Try again” starts over.")
        if state is ExplainState.FAILED and error:
            problem = describe(error)
            return problem.message, problem.remedy
        if self._session.run.busy:
            return tr("Explanations wait for the run"), tr("Click an image on the right to explain it immediately.")
        return tr("Nothing to explain yet"), tr("Choose an image on the right; its explanation appears here.")

    def _show_chosen(self) -> None:
        current = self.grid.current
        if current:
            self.facts.show_map(current)

    def _pin(self, shown: ShownMap) -> None:
        if shown.entry.pinned:
            self._model.unpin(shown.entry.key)
        else:
            self._model.pin(shown.entry.key)

    def _choose_opacity(self, percent: int) -> None:
        self._session.settings.set("xai.opacity", percent / 100)

    def _follow_opacity(self, key: str) -> None:
        if key == "xai.opacity":
            self.grid.set_opacity(self._session.settings.get(key))
