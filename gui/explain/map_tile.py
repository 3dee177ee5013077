"""One map over its picture, with its name, what the gate says of it, and a button that pins it."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QEvent, Qt, pyqtSignal
from PyQt5.QtGui import QFocusEvent, QMouseEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from dataset.layout import image_number
from gui.explain.explain import ShownMap
from gui.explain.gate_badge import TOKENS
from gui.explain.xai_words import method_hint, method_name, short_name
from gui.i18n import tr
from gui.theme.icons import set_icon
from gui.theme.tokens import CONTROL_HEIGHT, GRID
from gui.widgets.buttons import icon_button
from gui.widgets.icon_label import IconLabel
from gui.widgets.images import to_pixmap
from gui.widgets.labels import ElidedLabel
from gui.widgets.picture_view import PictureView


class MapTile(QFrame):
    """Shows a `ShownMap`.

    Signals
    -------
    chosen
        Somebody clicked it or moved the focus to it.
    pin_asked
        The map is to be pinned, or let go if it is.
    """

    chosen = pyqtSignal()
    pin_asked = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("tile")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.shown: ShownMap | None = None
        self.view = PictureView()
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setMinimumSize(48, 36)
        self.view.viewport().installEventFilter(self)
        self.title = ElidedLabel()
        self.title.setMinimumHeight(CONTROL_HEIGHT)  # of the button, which comes and goes
        self._icon = IconLabel("green", "evidence")
        self.pin = icon_button("pin", "", self.pin_asked.emit)
        head = QHBoxLayout()
        head.setContentsMargins(GRID, 0, 0, 0)
        head.setSpacing(GRID)
        head.addWidget(self._icon)
        head.addWidget(self.title, 1)
        head.addWidget(self.pin)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self.view, 1)

    def show_map(self, shown: ShownMap, opacity: float) -> None:
        """Show a map; the same picture keeps its zoom."""
        explanation, drawn = shown.entry.explanation, shown.drawn
        if self.shown is None or self.shown.drawn is not drawn:
            self.view.show_picture(to_pixmap(explanation.image))
            self.view.show_overlay(to_pixmap(drawn.overlay))
        self.shown = shown
        self.set_opacity(opacity)
        level = explanation.gate.level
        self._icon.show_icon(level, TOKENS[level])
        name, short = method_name(explanation.method), short_name(explanation.method)
        self.title.setText(f"{_short_image(shown.entry.image)} · {short}" if shown.entry.pinned else short)
        self.title.setToolTip(f"{name}\n{method_hint(explanation.method)}")
        words = tr("Map by {method} of {image}").format(method=name, image=shown.entry.image.name)
        self.setAccessibleName(words)
        self.view.setAccessibleName(words)
        self._show_pin(shown.entry.pinned)

    def set_opacity(self, opacity: float) -> None:
        """Fade the map; a picture that says why there is none is never faded."""
        if self.shown:
            self.view.set_overlay_opacity(1.0 if self.shown.drawn.no_map else opacity)

    def set_chosen(self, chosen: bool, *, is_one_of_many: bool) -> None:
        """Show whether the numbers below are those of this map; among many the others do without their button."""
        self.setProperty("chosen", chosen and is_one_of_many)
        self.style().unpolish(self)
        self.style().polish(self)
        self.pin.setVisible(chosen or (self.shown is not None and self.shown.entry.pinned))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Be chosen."""
        super().mousePressEvent(event)
        self.chosen.emit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Be chosen."""
        super().focusInEvent(event)
        self.chosen.emit()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Be chosen by a click on the picture, which moves the picture as well."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self.chosen.emit()
        return False

    def _show_pin(self, pinned: bool) -> None:
        words = tr("Unpin map") if pinned else tr("Pin this map to compare it with other images")
        set_icon(self.pin, "close" if pinned else "pin", "muted")
        self.pin.setToolTip(words)
        self.pin.setAccessibleName(words)


def _short_image(image: Path) -> str:
    """Return the class and number of an image of the program, the name of any other."""
    number = image_number(image.name)
    return image.stem if number is None else f"{image.parent.name} {number}"
