"""The explanation of the shown picture: map over picture, colour bar, probabilities, and whether it is evidence."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QHBoxLayout, QSlider, QStackedWidget, QVBoxLayout, QWidget

from gui.i18n import tr
from gui.state.explain import ExplainState
from gui.state.problem import describe
from gui.state.session import Session
from gui.theme.tokens import GAP, GAP_SMALL, GRID
from gui.widgets.buttons import text_button
from gui.widgets.color_bar import ColorBar
from gui.widgets.empty_state import EmptyState
from gui.widgets.gate_badge import GateBadge
from gui.widgets.images import to_pixmap
from gui.widgets.labels import ElidedLabel, label
from gui.widgets.picture_view import PictureView
from gui.widgets.probability_bars import ProbabilityBars
from gui.workers.engine import ExplainedPicture
from xai.explanation import Explanation


class ExplainView(QWidget):
    """Shows an `ExplainModel`."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._model = session.explain
        self.view = PictureView()
        self.bar = ColorBar()
        self.bars = ProbabilityBars()
        self.badge = GateBadge()
        self.caption = ElidedLabel()
        self.caption.setProperty("role", "muted")
        self.opacity = self._make_opacity()
        self.legend = self._make_legend()
        self.empty = EmptyState("explain")
        self.retry = text_button(tr("Try again"), self._model.retry)
        self._pages = QStackedWidget()
        self._lay_out()
        self._model.changed.connect(self._show)
        session.picture.changed.connect(self._show)
        self._show()

    def _make_opacity(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, 100)
        slider.setValue(round(100 * self._session.settings.get("xai.opacity")))
        slider.setFixedWidth(120)
        slider.setAccessibleName(tr("Opacity of the map"))
        slider.setToolTip(tr("From the picture alone to the map alone"))
        slider.valueChanged.connect(self._set_opacity)
        return slider

    def _lay_out(self) -> None:
        filled = QWidget()
        inside = QVBoxLayout(filled)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(GAP_SMALL)
        inside.addWidget(self.view, 1)
        inside.addWidget(self.legend)
        inside.addWidget(self.badge)
        inside.addWidget(self.caption)
        inside.addWidget(self.bars)
        self._pages.addWidget(self._waiting())
        self._pages.addWidget(filled)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)

    def _make_legend(self) -> QWidget:
        whole = QWidget()
        line = QHBoxLayout(whole)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(GAP)
        line.addWidget(self.bar, 1)
        line.addWidget(label(tr("Opacity"), "muted"))
        line.addWidget(self.opacity)
        return whole

    def _waiting(self) -> QWidget:
        page = QWidget()
        inside = QVBoxLayout(page)
        inside.setSpacing(GRID)
        inside.addWidget(self.empty, 1)
        inside.addWidget(self.retry, 0, Qt.AlignmentFlag.AlignHCenter)
        inside.addSpacing(GAP)
        return page

    def _show(self) -> None:
        result, picture = self._model.result, self._session.picture.picture
        ready = self._model.state is ExplainState.READY and result is not None and picture is not None
        self._pages.setCurrentIndex(1 if ready else 0)
        self.retry.setVisible(self._model.state is ExplainState.FAILED)
        if ready and result and picture:
            self.view.show_picture(to_pixmap(picture.pixels))
            self._show_result(result)
        else:
            self.empty.say(*self._words())

    def _words(self) -> tuple[str, str]:
        state, error = self._model.state, self._model.error
        if state is ExplainState.WORKING:
            return tr("Looking at what the classifier sees…"), tr("Integrated Gradients takes some seconds.")
        if state is ExplainState.FAILED and error:
            problem = describe(error)
            return problem.message, problem.remedy
        if self._session.run.busy:
            return tr("Explanations wait for the run"), tr("Click an image on the right to explain it at once.")
        return tr("Nothing to explain yet"), tr("Choose an image on the right; its explanation appears here.")

    def _show_result(self, result: ExplainedPicture) -> None:
        explanation = result.explanation
        self.view.show_overlay(to_pixmap(result.overlay))
        self._set_opacity(self.opacity.value())
        for part in (self.legend, self.caption):
            part.setVisible(not result.no_map)
        self.bar.show_scale(result.scale, result.colors)
        self.badge.show_verdict(explanation.gate)
        self.bars.show_probabilities(explanation.classification.probabilities)
        self.caption.setText(_caption(explanation))

    def _set_opacity(self, percent: int) -> None:
        self._session.settings.set("xai.opacity", percent / 100)
        result = self._model.result
        self.view.set_overlay_opacity(1.0 if result and result.no_map else percent / 100)


def _caption(explanation: Explanation) -> str:
    words = tr("Integrated Gradients for {target}: logit {score:+.2f}, {baseline} baseline {base:+.2f}")
    caption = words.format(
        target=explanation.target,
        score=explanation.score,
        baseline=explanation.baseline,
        base=explanation.baseline_score,
    )
    gap = explanation.relative_delta
    return caption + (tr(", gap {gap:.1%}").format(gap=gap) if gap is not None else "")
