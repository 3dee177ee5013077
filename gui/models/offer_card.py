"""One of several ways on: what it is, what it brings, and the buttons that take it."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from gui.theme.tokens import GAP, GAP_SMALL, GRID
from gui.widgets.icon_label import IconLabel
from gui.widgets.labels import label

ICON_SIDE = 24


class OfferCard(QFrame):
    """An icon, a title, a sentence; buttons at the right, and room below for what comes of them."""

    def __init__(self, icon_name: str, title: str, sentence: str = "") -> None:
        super().__init__()
        self.setObjectName("panel")
        self._sentence = label(sentence, "muted", wrap=True)
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        self._buttons = QVBoxLayout()
        self._buttons.setSpacing(GRID)
        self._buttons.addStretch(1)
        self._below = QVBoxLayout()
        words = QVBoxLayout()
        words.setSpacing(GRID)
        words.addWidget(label(title, "title"))
        words.addWidget(self._sentence)
        words.addLayout(self._below)
        words.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, GAP, GAP, GAP)
        row.setSpacing(GAP)
        row.addWidget(IconLabel(icon_name, "accent", ICON_SIDE), 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        row.addLayout(self._buttons)
        self._below.setSpacing(GAP_SMALL)

    @property
    def sentence(self) -> str:
        """What it brings."""
        return self._sentence.text()

    def say(self, sentence: str) -> None:
        """Say something else of it."""
        self._sentence.setText(sentence)

    def add_button(self, button: QAbstractButton) -> None:
        """Put a button under those that are there."""
        self._buttons.insertWidget(self._buttons.count() - 1, button)

    def add_below(self, widget: QWidget) -> None:
        """Put something below the sentence."""
        self._below.addWidget(widget)
