"""A short note inside a panel, with one thing to do about it."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtWidgets import QFrame, QHBoxLayout

from gui.i18n import tr
from gui.theme.tokens import GRID
from gui.widgets.buttons import icon_button, text_button
from gui.widgets.icon_label import IconLabel
from gui.widgets.labels import label


class NoteLine(QFrame):
    """Hidden until there is something to note.

    Parameters
    ----------
    action, do
        Words on the button, and what it does.
    closable
        Whether it can be dismissed.
    """

    def __init__(self, icon_name: str, action: str, do: Callable[[], object], *, closable: bool = False) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._words = label(wrap=True)
        self.button = text_button(action, do, flat=True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GRID, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addWidget(IconLabel(icon_name, "accent"))
        layout.addWidget(self._words, 1)
        layout.addWidget(self.button)
        if closable:
            layout.addWidget(icon_button("close", tr("Dismiss"), self.hide))
        self.hide()

    @property
    def text(self) -> str:
        """What is noted."""
        return self._words.text()

    def tell(self, words: str) -> None:
        """Note something."""
        self._words.setText(words)
        self.show()
