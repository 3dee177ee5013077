"""A line above the work area that tells something and offers to act on it; it interrupts nobody."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtWidgets import QFrame, QHBoxLayout, QPushButton

from gui.i18n import tr
from gui.theme.tokens import GAP_SMALL, GRID
from gui.widgets.buttons import icon_button, text_button
from gui.widgets.icon_label import IconLabel
from gui.widgets.labels import label


class Banner(QFrame):
    """Hidden until there is something to tell."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._icon = IconLabel()
        self._words = label(wrap=True)
        self._action: QPushButton = text_button(tr("More"))
        self._action.clicked.connect(self._act)
        self._do: Callable[[], object] | None = None
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP_SMALL + GRID, GRID, GRID, GRID)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(self._icon)
        layout.addWidget(self._words, 1)
        layout.addWidget(self._action)
        layout.addWidget(icon_button("close", tr("Dismiss"), self.hide))
        self.hide()

    @property
    def text(self) -> str:
        """What is told."""
        return self._words.text()

    def tell(
        self, words: str, action: str = "", do: Callable[[], object] | None = None, icon_name: str = "info"
    ) -> None:
        """Tell something, with a button if there is something to do about it."""
        self._words.setText(words)
        self._icon.show_icon(icon_name, "accent")
        self._action.setText(action)
        self._action.setAccessibleName(action)
        self._action.setVisible(bool(action))
        self._do = do
        self.show()

    def _act(self) -> None:
        self.hide()
        if self._do:
            self._do()
