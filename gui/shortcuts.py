"""The keyboard: every shortcut of the window, in one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QShortcut, QWidget

from gui.i18n import tr


@dataclass(frozen=True, slots=True)
class Key:
    """One shortcut: the keys, what they do in words, and what is called."""

    keys: tuple[str, ...]
    words: str
    action: Callable[[], object]


def install(window: QWidget, table: tuple[Key, ...]) -> list[QShortcut]:
    """Make the shortcuts of a table work anywhere in a window."""
    made = []
    for key in table:
        for sequence in key.keys:
            shortcut = QShortcut(QKeySequence(sequence), window)
            shortcut.activated.connect(key.action)
            made.append(shortcut)
    return made


def describe_table(table: tuple[Key, ...]) -> str:
    """Return the table as a list for people."""
    rows = "".join(
        f"<tr><td style='padding: 2px 16px 2px 0'><b>{' / '.join(key.keys)}</b></td><td>{tr(key.words)}</td></tr>"
        for key in table
    )
    return f"<table>{rows}</table>"
