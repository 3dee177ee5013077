"""What an empty place says: what it is for and what to do."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QSize, Qt
from PyQt5.QtWidgets import QLabel, QVBoxLayout, QWidget

from gui.theme.icons import icon
from gui.theme.tokens import GAP_LARGE, GAP_SMALL
from gui.widgets.labels import label

SIDE = 32


class EmptyState(QWidget):
    """An icon, a heading and a sentence in the middle of a free area."""

    def __init__(self, icon_name: str, heading: str = "", sentence: str = "") -> None:
        super().__init__()
        self._icon_name = icon_name
        self._icon = QLabel()
        self._heading = label(heading, "title", wrap=True)
        self._sentence = label(sentence, "muted", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP_LARGE, GAP_LARGE, GAP_LARGE)
        layout.setSpacing(GAP_SMALL)
        layout.addStretch(1)
        for widget in (self._icon, self._heading, self._sentence):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(widget)
        layout.addStretch(1)
        self._draw()

    def say(self, heading: str, sentence: str) -> None:
        """Say something else."""
        self._heading.setText(heading)
        self._sentence.setText(sentence)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw()

    def _draw(self) -> None:
        self._icon.setPixmap(icon(self._icon_name, "muted").pixmap(QSize(SIDE, SIDE)))
