"""The image being made: noise and the network's present guess side by side, and a slider to look back."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PyQt5.QtCore import Qt, QTimer, pyqtSignal
from PyQt5.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QSlider,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.home import home_folder
from gui.gallery.denoising import DenoisingModel, Frame
from gui.gallery.teaching import what_happens
from gui.i18n import tr
from gui.run.run import RunModel
from gui.theme.icons import set_icon
from gui.theme.palette import tabular
from gui.theme.tokens import GAP_SMALL, GRID
from gui.widgets.buttons import icon_button
from gui.widgets.empty_state import EmptyState
from gui.widgets.images import to_pixmap
from gui.widgets.labels import label
from gui.widgets.picture_view import PictureView

PLAY_MS: Final = 150
"""How long a step is shown when the steps are played: twenty of them take three seconds."""


class DenoisingView(QWidget):
    """Shows the frame of a `DenoisingModel`.

    Signals
    -------
    export_asked
        Carries the file that the steps shall be written to: an animation if it ends in ``.gif``, else a strip.
    """

    export_asked = pyqtSignal(object)

    def __init__(self, model: DenoisingModel, run: RunModel) -> None:
        super().__init__()
        self._model, self._run = model, run
        self.noisy = PictureView()
        self.predicted = PictureView()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(tr("Denoising step"))
        self.slider.setToolTip(tr("Look back at earlier steps"))
        self.play = icon_button("start", tr("Play the steps"), self._toggle_play)
        self._player = QTimer(self)
        self._player.timeout.connect(self._play_on)
        self.export = icon_button("export", tr("Export as animation or film strip"))
        self.caption = label("", "muted")
        self.caption.setFont(tabular(self.caption.font()))
        self.teaching = label("", "muted", wrap=True)
        self.teaching.setAccessibleName(tr("What this step is doing"))
        self.empty = EmptyState("start")
        self._pages = QStackedWidget()
        self._fill_export()
        self._lay_out()
        self.slider.valueChanged.connect(model.show)
        model.changed.connect(self._show)
        self.noisy.placed.connect(self.predicted.show_place)
        self.predicted.placed.connect(self.noisy.show_place)
        run.state_changed.connect(self._say)
        self._show()

    def _fill_export(self) -> None:
        menu = QMenu(self.export)
        menu.addAction(tr("Animation (GIF)…"), lambda: self._ask_for_file(".gif"))
        menu.addAction(tr("Film strip (PNG)…"), lambda: self._ask_for_file(".png"))
        self.export.setMenu(menu)
        self.export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def _ask_for_file(self, suffix: str) -> None:
        frame = self._model.frame
        start = str(home_folder() / f"denoising-{frame.class_code}{suffix}") if frame else ""
        name, _ = QFileDialog.getSaveFileName(self, tr("Export the denoising steps"), start, f"*{suffix}")
        if name:
            self.export_asked.emit(Path(name).with_suffix(suffix))

    def _lay_out(self) -> None:
        pictures = QHBoxLayout()
        pictures.setContentsMargins(0, 0, 0, 0)
        pictures.setSpacing(GAP_SMALL)
        pictures.addLayout(_titled(tr("Noisy image xₜ"), self.noisy))
        pictures.addLayout(_titled(tr("Predicted image x₀"), self.predicted))
        filled = QWidget()
        inside = QVBoxLayout(filled)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(GAP_SMALL)
        inside.addLayout(pictures, 1)
        line = QHBoxLayout()
        line.addWidget(self.caption)
        line.addWidget(self.slider, 1)
        line.addWidget(self.play)
        line.addWidget(self.export)
        inside.addLayout(line)
        inside.addWidget(self.teaching)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(filled)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)

    def _caption(self, frame: Frame) -> None:
        """Say which step it is, with room for the last one, so that the slider does not move under the pointer."""
        words = tr("{code}, step {step} of {steps}")
        widest = words.format(code=frame.class_code, step=frame.steps, steps=frame.steps)
        self.caption.setMinimumWidth(self.caption.fontMetrics().horizontalAdvance(widest) + GRID)
        self.caption.setText(words.format(code=frame.class_code, step=frame.step, steps=frame.steps))

    def _toggle_play(self) -> None:
        if self._player.isActive():
            self._player.stop()
        else:
            if self._is_at_end():
                self._model.show(0)
            self._player.start(PLAY_MS)
        self._show_play()

    def _play_on(self) -> None:
        self._model.show(self._model.position + 1)
        if self._is_at_end():
            self._player.stop()
            self._show_play()

    def _is_at_end(self) -> bool:
        return self._model.position >= len(self._model.frames) - 1

    def _show_play(self) -> None:
        playing = self._player.isActive()
        set_icon(self.play, "pause" if playing else "start")
        words = tr("Stop playing") if playing else tr("Play the steps")
        self.play.setToolTip(words)
        self.play.setAccessibleName(words)

    def _say(self) -> None:
        if self._run.busy:
            self.empty.say(tr("Starting…"), tr("During a run, each step appears here."))
        elif self._model.is_unknown:
            self.empty.say(
                tr("No denoising steps for this image"),
                tr("Steps are kept only for the most recent images, until the window closes."),
            )
        else:
            self.empty.say(tr("Nothing is being generated"), tr("During a run, each step appears here."))

    def _show(self) -> None:
        frame = self._model.frame
        self._pages.setCurrentIndex(0 if frame is None else 1)
        if frame is None:
            self._say()
            return
        self.noisy.show_picture(to_pixmap(frame.preview.noisy))
        self.predicted.show_picture(to_pixmap(frame.preview.predicted))
        self.slider.blockSignals(True)
        self.slider.setRange(0, len(self._model.frames) - 1)
        self.slider.setValue(self._model.position)
        self.slider.blockSignals(False)
        self._caption(frame)
        self.teaching.setText(what_happens(frame.timestep))


def _titled(title: str, view: PictureView) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(GRID)
    column.addWidget(label(title, "muted"))
    column.addWidget(view, 1)
    view.setAccessibleName(title)
    return column
