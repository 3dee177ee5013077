"""Buttons, made the same way everywhere: icon, words, tooltip, accessible name."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtWidgets import QPushButton, QToolButton

from gui.theme.icons import set_icon
from gui.theme.tokens import ICON_SIZE


def icon_button(
    icon: str, words: str, clicked: Callable[[], object] | None = None, *, flat: bool = True
) -> QToolButton:
    """Return a button that shows an icon; the words are its tooltip and its accessible name."""
    button = QToolButton()
    set_icon(button, icon)
    button.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
    button.setToolTip(words)
    button.setAccessibleName(words)
    button.setProperty("flat", flat)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    if clicked:
        button.clicked.connect(lambda: clicked())
    return button


def text_button(words: str, clicked: Callable[[], object] | None = None, *, flat: bool = False) -> QPushButton:
    """Return a quiet button with words."""
    button = QPushButton(words)
    button.setAccessibleName(words)
    button.setProperty("flat", flat)
    button.setAutoDefault(False)
    if clicked:
        button.clicked.connect(lambda: clicked())
    return button


def hold_width(button: QPushButton, *words: str) -> None:
    """Make a button whose words change as wide as its widest ones, so that its neighbours do not move."""
    widths = []
    for text in words:
        button.setText(text)
        button.ensurePolished()
        widths.append(button.sizeHint().width())
    button.setMinimumWidth(max(widths))
