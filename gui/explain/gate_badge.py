"""The gate's verdict in words, with an icon and a colour of its own: state is never told by colour alone."""

from __future__ import annotations

from typing import Final

from PyQt5.QtCore import QEvent, Qt
from PyQt5.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QWidget

from gui.i18n import mark, tr, translate
from gui.theme import palette
from gui.theme.tokens import GRID
from gui.widgets.icon_label import IconLabel
from gui.widgets.labels import label
from xai.explanation import GateVerdict

WORDS: Final = {"green": mark("Checks passed"), "amber": mark("Caution"), "red": mark("Checks failed")}
TOKENS: Final = {"green": "evidence", "amber": "doubt", "red": "none"}


class GateBadge(QWidget):
    """Shows a verdict and its reasons."""

    def __init__(self) -> None:
        super().__init__()
        self._verdict: GateVerdict | None = None
        self._icon = IconLabel()
        self._word = QLabel()
        self.reason = label("", "muted", wrap=True)
        self.reason.setTextFormat(Qt.TextFormat.PlainText)
        head = QHBoxLayout()
        head.setSpacing(2 * GRID)
        for part in (self._icon, self._word):
            head.addWidget(part, 0, Qt.AlignmentFlag.AlignTop)
        head.addStretch(1)
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2 * GRID)
        self._layout.addLayout(head)
        self._layout.addWidget(self.reason, 1)
        self.show_verdict(None)

    def set_narrow(self, narrow: bool) -> None:
        """Put the reasons under the word, where there is no room beside it."""
        direction = QBoxLayout.Direction
        self._layout.setDirection(direction.TopToBottom if narrow else direction.LeftToRight)
        self._layout.setSpacing(GRID if narrow else 2 * GRID)

    def row_height(self, width: int) -> int:
        """Return the height of the verdict with its reasons beside its word, whether or not they stand so now."""
        word = self._icon.sizeHint().width() + self._word.sizeHint().width() + 4 * GRID
        return max(self._word.sizeHint().height(), self.reason.heightForWidth(max(1, width - word)))

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
        self.reason.setText(" ".join(reasons))
        self.setToolTip("\n".join(reasons))
        self.setAccessibleName(tr("Reliability check: {word}").format(word=word))
        self.setAccessibleDescription(" ".join(reasons))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.show_verdict(self._verdict)
