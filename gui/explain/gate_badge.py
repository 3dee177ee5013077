"""The gate's verdict in words, with an icon and a colour of its own: state is never told by colour alone."""

from __future__ import annotations

from typing import Final

from PyQt5.QtCore import QEvent, Qt
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QWidget

from gui.i18n import mark, tr, translate
from gui.theme import palette
from gui.theme.tokens import GRID
from gui.widgets.icon_label import IconLabel
from gui.widgets.labels import TwoLineLabel
from xai.explanation import GateVerdict

WORDS: Final = {"green": mark("Checks passed"), "amber": mark("Caution"), "red": mark("Checks failed")}
TOKENS: Final = {"green": "evidence", "amber": "doubt", "red": "none"}


class GateBadge(QWidget):
    """Shows a verdict and its first reason; all reasons are in the tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self._verdict: GateVerdict | None = None
        self._icon = IconLabel()
        self._word = QLabel()
        self._reason = TwoLineLabel()
        self._reason.setProperty("role", "muted")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * GRID)
        for part in (self._icon, self._word):
            layout.addWidget(part, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._reason, 1)
        self.show_verdict(None)

    def show_verdict(self, verdict: GateVerdict | None) -> None:
        """Show a verdict, or nothing."""
        self._verdict = verdict
        self.setVisible(verdict is not None)
        if verdict is None:
            return
        token = TOKENS[verdict.level]
        word = tr(WORDS[verdict.level])
        self._icon.show_icon(verdict.level, token)
        self._word.setText(f"<b style='color:{palette.color(token).name()}'>{word}</b>")
        reasons = tuple(map(translate, verdict.reasons)) or (tr("The classifier and this map passed every check."),)
        self._reason.setText(" ".join(reasons))
        self.setToolTip("\n".join(reasons))
        self.setAccessibleName(tr("Reliability check: {word}").format(word=word))
        self.setAccessibleDescription(" ".join(reasons))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.show_verdict(self._verdict)
