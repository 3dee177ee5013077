"""Sentences that speak against something, each with its icon; no room is taken while there are none."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QHBoxLayout, QWidget

from gui.theme.tokens import GAP_SMALL
from gui.widgets.icon_label import IconLabel
from gui.widgets.labels import label


class WarningLines(QWidget):
    """Shows warnings under each other."""

    def __init__(self) -> None:
        super().__init__()
        self._words = label("", wrap=True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(IconLabel("warning", "doubt"), 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._words, 1)
        self.hide()

    @property
    def text(self) -> str:
        """What is shown."""
        return self._words.text()

    def show_warnings(self, sentences: Sequence[str]) -> None:
        """Show other sentences, or nothing."""
        text = "\n".join(sentences)
        if text != self.text:
            self._words.setText(text)
            self.setAccessibleName(text)
        self.setVisible(bool(text))
