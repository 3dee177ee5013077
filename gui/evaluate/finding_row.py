"""One finding: a sign, a title, a verdict."""

from __future__ import annotations

from typing import Final

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QGridLayout, QWidget

from gui.i18n import tr
from gui.theme.tokens import GAP_SMALL, GRID
from gui.widgets.icon_label import IconLabel
from gui.widgets.labels import label

SIGNS: Final = {
    "good": ("green", "evidence"),
    "doubt": ("amber", "doubt"),
    "bad": ("red", "none"),
    "unknown": ("info", "muted"),
}
"""Icon and colour of each level."""


class FindingRow(QWidget):
    """Says what one measurement found; the level is an icon and a word, never a colour alone, or "" for none."""

    def __init__(self, title: str, level: str, verdict: str) -> None:
        super().__init__()
        name, token = SIGNS.get(level, SIGNS["unknown"])
        words = label(verdict, wrap=True)
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, GRID, 0, GRID)
        layout.setHorizontalSpacing(GAP_SMALL)
        layout.setVerticalSpacing(0)
        layout.addWidget(IconLabel(name, token), 0, 0, Qt.AlignmentFlag.AlignTop)
        said = level_words(level) if level else ""
        layout.addWidget(label(f"{title} · {said}" if said else title, "title", wrap=True), 0, 1)
        layout.addWidget(words, 1, 1)
        layout.setColumnStretch(1, 1)
        self.setAccessibleName(f"{title}: {said}" if said else title)
        self.setAccessibleDescription(verdict)


def level_words(level: str) -> str:
    """Return the word for a level."""
    words = {"good": tr("good"), "doubt": tr("caution"), "bad": tr("poor"), "unknown": tr("not measured")}
    return words.get(level, words["unknown"])
