"""What an empty place says: what it is for and what to do."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QVBoxLayout, QWidget

from gui.theme.tokens import GAP_LARGE, GAP_SMALL
from gui.widgets.icon_label import IconLabel
from gui.widgets.labels import label

SIDE = 32


class EmptyState(QWidget):
    """An icon, a heading and a sentence in the middle of a free area."""

    def __init__(self, icon_name: str, heading: str = "", sentence: str = "") -> None:
        super().__init__()
        self._icon = IconLabel(icon_name, "muted", SIDE)
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

    @property
    def heading(self) -> str:
        """What it says in large letters."""
        return self._heading.text()

    def say(self, heading: str, sentence: str) -> None:
        """Say something else."""
        self._heading.setText(heading)
        self._sentence.setText(sentence)
