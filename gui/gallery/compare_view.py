"""Two pictures against each other: a line to move, side by side, or blinking; zoom and place are shared."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtGui import QHideEvent, QShowEvent
from PyQt5.QtWidgets import QButtonGroup, QHBoxLayout, QSlider, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from gui.common.picture import Picture
from gui.common.regions import chain_focus
from gui.gallery.compare import CompareModel
from gui.gallery.wipe_view import WipeView
from gui.i18n import tr, translate
from gui.theme.tokens import GAP_SMALL, GRID
from gui.widgets.buttons import icon_button
from gui.widgets.empty_state import EmptyState
from gui.widgets.images import to_pixmap
from gui.widgets.labels import ElidedLabel, label
from gui.widgets.picture_view import PictureView, Place

if TYPE_CHECKING:
    from gui.shell.session import Session


BLINK_MS: Final = 600
"""Less than two changes a second: far below what flickering may do to people."""

RESOLUTION: Final = 1000


class Mode(enum.IntEnum):
    """How two pictures are compared."""

    WIPE = 0
    BESIDE = 1
    BLINK = 2


class CompareView(QWidget):
    """Shows a `CompareModel`."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._model: CompareModel = session.collection.compare
        self.mode = Mode.WIPE
        self.over = WipeView()
        self.left, self.right = PictureView(), PictureView()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.names = (ElidedLabel(mode=Qt.TextElideMode.ElideMiddle), ElidedLabel(mode=Qt.TextElideMode.ElideMiddle))
        self.verdict = label("", wrap=True)
        self.modes = QButtonGroup(self)
        self.buttons: dict[Mode, QToolButton] = {}
        self.empty = EmptyState("beside")
        self._pages = QStackedWidget()
        self._blink = QTimer(self)
        self._shown: tuple[Picture | None, Picture | None] = (None, None)
        self._make_controls()
        self._lay_out()
        self._connect()
        self._show()

    @property
    def view(self) -> PictureView:
        """The view that zoom keys act on; the other one follows."""
        return self.left if self.mode is Mode.BESIDE else self.over

    @property
    def views(self) -> tuple[PictureView, ...]:
        """All of them."""
        return self.over, self.left, self.right

    def set_mode(self, mode: Mode) -> None:
        """Compare in another way."""
        place = self.view.place() if self.view.has_picture else None
        self.mode = mode
        self.buttons[mode].setChecked(True)
        self._show_mode()
        if place:
            self.view.show_place(place)
            self._follow(self.view, place)

    def showEvent(self, event: QShowEvent) -> None:
        """Blink only while somebody looks."""
        super().showEvent(event)
        self._show_mode()

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest."""
        super().hideEvent(event)
        self._blink.stop()

    def _make_controls(self) -> None:
        words = (
            ("wipe", tr("Line"), tr("A left of a line that can be moved, B right of it")),
            ("beside", tr("Side by side"), tr("A and B side by side, with the same zoom")),
            ("blink", tr("Blink"), tr("A and B in turn, in the same place")),
        )
        for mode, (icon_name, text, tip) in zip(Mode, words, strict=True):
            button = icon_button(icon_name, text)
            button.setText(text)
            button.setToolTip(tip)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setCheckable(True)
            self.modes.addButton(button, int(mode))
            self.buttons[mode] = button
        self.buttons[self.mode].setChecked(True)
        self.swap = icon_button("swap", tr("Exchange A and B"), self._model.swap)
        self.pin = self._make_pin()
        self.slider.setRange(0, RESOLUTION)
        self.slider.setValue(RESOLUTION // 2)
        self.slider.setAccessibleName(tr("Where A ends and B begins"))
        self.slider.setToolTip(tr("Move the line between A and B"))
        self.over.setAccessibleName(tr("A and B in one place"))
        self.left.setAccessibleName(tr("Image A"))
        self.right.setAccessibleName(tr("Image B"))

    def _make_pin(self) -> QToolButton:
        return icon_button("pin", tr("Keep the shown image as A; the next ones become B"), self._pin_shown)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(GRID)
        for mode in Mode:
            head.addWidget(self.buttons[mode])
        head.addStretch(1)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.over)
        self._pages.addWidget(self._beside())
        names = QHBoxLayout()
        names.setSpacing(GAP_SMALL)
        for name, side in zip(self.names, (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight), strict=True):
            name.setAlignment(side)
        names.addWidget(self.names[0], 1)
        names.addWidget(self.pin)
        names.addWidget(self.swap)
        names.addWidget(self.names[1], 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addLayout(head)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self.slider)
        layout.addLayout(names)
        layout.addWidget(self.verdict)
        chain_focus([*self.buttons.values(), self.over, self.left, self.right, self.slider, self.pin, self.swap])

    def _beside(self) -> QWidget:
        whole = QWidget()
        line = QHBoxLayout(whole)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(GRID)
        line.addWidget(self.left, 1)
        line.addWidget(self.right, 1)
        return whole

    def _connect(self) -> None:
        self.modes.idClicked.connect(lambda mode: self.set_mode(Mode(mode)))
        self.slider.valueChanged.connect(lambda value: self.over.set_share(value / RESOLUTION))
        self._blink.timeout.connect(lambda: self.over.set_share(0.0 if self.over.share else 1.0))
        self.left.placed.connect(lambda place: self._follow(self.left, place))
        self.right.placed.connect(lambda place: self._follow(self.right, place))
        self._model.changed.connect(self._show)
        self._session.picture.changed.connect(self._show_names)
        self._session.keys.changed.connect(self._show_names)

    def _follow(self, moved: PictureView, place: Place) -> None:
        """Let the view beside the one that was moved show the same part."""
        if moved in (self.left, self.right):
            (self.right if moved is self.left else self.left).show_place(place)

    def _pin_shown(self) -> None:
        self._model.pin(self._session.picture.picture)

    def _show(self) -> None:
        a, b = self._model.a, self._model.b
        if a and b and not (a is self._shown[0] and b is self._shown[1]):
            first, second = to_pixmap(a.pixels), to_pixmap(b.pixels)
            self.over.show_picture(first)
            self.over.show_overlay(second)
            self.left.show_picture(first)
            self.right.show_picture(second)
        self._shown = (a, b)
        self._show_names()
        self._show_mode()
        self.verdict.setText(_verdict(self._model))
        self.verdict.setVisible(bool(self.verdict.text()))

    def _show_mode(self) -> None:
        ready = self._model.a is not None and self._model.b is not None
        page = 2 if self.mode is Mode.BESIDE else 1
        self._pages.setCurrentIndex(page if ready else 0)
        self.slider.setVisible(ready and self.mode is Mode.WIPE)
        self.swap.setEnabled(ready)
        if ready and self.mode is Mode.BLINK and self.isVisible():
            self.over.set_share(1.0)
            self._blink.start(BLINK_MS)
        else:
            self._blink.stop()
            self.over.set_share(self.slider.value() / RESOLUTION)

    def _show_names(self) -> None:
        a, b = self._model.a, self._model.b
        self.names[0].setText(f"A  {_name(a)}" if a else "")
        again = self._model.note and b is not None
        self.names[1].setText((tr("reproduced") if again else _name(b)) + "  B" if b else "")
        self.pin.setEnabled(self._session.picture.picture is not None)
        if a:
            self.empty.say(
                tr("A is {name}").format(name=_name(a)), tr("Choose another image on the right: it becomes B.")
            )
        else:
            self.empty.say(
                tr("Compare two images"),
                tr("Choose two on the right (Ctrl+click) and press {key}; or one, then another.").format(
                    key=self._session.keys.hint("compare")
                ),
            )


def _name(picture: Picture | None) -> str:
    return f"{picture.path.parent.name}/{picture.path.name}" if picture else ""


def _verdict(model: CompareModel) -> str:
    if model.note or model.a is None or model.b is None:
        return translate(model.note)
    if model.a.pixels.shape != model.b.pixels.shape:
        return tr("The two have different sizes; B is scaled to A's.")
    if model.difference is None:
        return ""
    words = tr("The largest pixel difference is {largest} of 255, on average {mean:.2f}.")
    return words.format(largest=model.difference.largest, mean=model.difference.mean)
