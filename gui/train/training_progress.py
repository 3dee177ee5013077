"""How a training goes: curves, newest samples, how far it is."""

from __future__ import annotations

from PyQt5.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from gui.i18n import tr
from gui.i18n.numbers import duration, number
from gui.theme.palette import tabular
from gui.theme.tokens import GAP, GAP_SMALL
from gui.train.curve_plot import CurvePlot
from gui.train.sheet_view import SheetView
from gui.train.training import TrainingModel, TrainingState
from gui.widgets.buttons import text_button
from gui.widgets.labels import ElidedLabel

RESOLUTION = 1000


class TrainingProgress(QWidget):
    """Shows the view of a `TrainingModel`."""

    def __init__(self, model: TrainingModel) -> None:
        super().__init__()
        self._model = model
        images = tr("training samples seen")
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.live = text_button(tr("Back to the training"), model.follow, flat=True)
        self.live.setToolTip(tr("Show the training in progress"))
        self.losses = CurvePlot(images, tr("Loss"), from_zero=True)
        self.scores = CurvePlot(images, tr("Score"))
        self.sheet = SheetView(
            tr("Newest samples; click to open"), tr("Samples appear here at every evaluation of a generator.")
        )
        self.bar = QProgressBar()
        self.bar.setRange(0, RESOLUTION)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress of the training"))
        self.bar.setToolTip(tr("Progress of the training"))
        self.count, self.pace, self.remaining = self._fixed(150), self._fixed(110), self._fixed(130)
        self.words = ElidedLabel()
        self._lay_out()
        model.progressed.connect(self.show_view)
        model.changed.connect(self.show_view)
        self.show_view()

    def show_view(self) -> None:
        """Show what the model's view says."""
        model, view = self._model, self._model.view
        folder = model.looked_up or model.run
        self.title.setText(folder.name if folder else tr("No training yet"))
        self.live.setVisible(model.looked_up is not None and model.busy)
        self.losses.show_curves(view.losses)
        self.scores.show_curves(view.scores, view.score_name)
        self.sheet.show_file(view.sheet, round(view.images))
        self.sheet.setVisible(view.sheet is not None or model.choice.kind == "diffusion")
        self.bar.setValue(round(view.fraction * RESOLUTION))
        total = tr("{images} of {total} images") if view.total else tr("{images} images")
        self.count.setText(total.format(images=number(view.images), total=number(view.total)) if view.images else "")
        self.pace.setText(tr("{rate:.1f} images/s").format(rate=view.rate) if view.rate and model.busy else "")
        left = view.remaining if model.busy else None
        self.remaining.setText("" if left is None else tr("{time} left").format(time=duration(left)))
        self.words.setText(_words(model))

    def _fixed(self, width: int) -> QLabel:
        made = QLabel()
        made.setFont(tabular(made.font()))
        made.setMinimumWidth(width)
        return made

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.live)
        plots = QGridLayout()
        plots.setSpacing(GAP)
        plots.addWidget(self.losses, 0, 0)
        plots.addWidget(self.scores, 1, 0)
        plots.addWidget(self.sheet, 0, 1, 2, 1)
        plots.setColumnStretch(0, 3)
        plots.setColumnStretch(1, 2)
        numbers = QHBoxLayout()
        numbers.setSpacing(GAP_SMALL)
        for part in (self.count, self.pace, self.remaining):
            numbers.addWidget(part)
        numbers.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GAP_SMALL, 0, 0)
        layout.setSpacing(GAP_SMALL)
        layout.addLayout(head)
        layout.addLayout(plots, 1)
        layout.addWidget(self.bar)
        layout.addLayout(numbers)
        layout.addWidget(self.words)


def _words(model: TrainingModel) -> str:
    if model.looked_up is None:
        if model.state is TrainingState.STARTING:
            return model.view.words or tr("Reading the photographs…")
        if model.state is TrainingState.STOPPING:
            return tr("Stopping; the training is being saved…")
    return model.view.words
