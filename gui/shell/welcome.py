"""The very first start shows the page with the models and the checkup, once."""

from __future__ import annotations

from functools import partial
from typing import Final

from PyQt5.QtCore import QTimer

from gui.common.window_requests import WindowRequest
from gui.shell.session import Session

WELCOMED: Final = "welcome/shown"

DELAY_MS: Final = 400
"""The window is painted first: behind the page stands what it speaks of."""


def welcome(session: Session) -> bool:
    """Show the page soon, unless it was shown before, or nothing is to be remembered; return whether it will be."""
    settings = session.settings
    if settings.is_safe or settings.recall(WELCOMED, False, bool):
        return False
    settings.remember(WELCOMED, True)
    QTimer.singleShot(DELAY_MS, partial(session.wish.emit, WindowRequest.GET_MODELS))
    return True
