"""Text that somebody types counts a moment after the latest key, not only when the field is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QLineEdit

__all__ = ["when_typed"]

PAUSE_MS: Final = 400


def when_typed(line: QLineEdit, act: Callable[[], object]) -> None:
    """Act when a field is left, and when somebody typing or pasting in it pauses.

    Without the latter, a button that waits for the text would stay off under the pointer of whoever has just typed it.
    """
    timer = QTimer(line)
    timer.setSingleShot(True)
    timer.setInterval(PAUSE_MS)
    timer.timeout.connect(act)
    line.textEdited.connect(timer.start)
    line.editingFinished.connect(timer.stop)
    line.editingFinished.connect(act)
