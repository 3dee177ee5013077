"""Where a window stands: on a screen that is there, whatever screens there were when it was closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PyQt5.QtCore import QRect

GRIP: Final = 80
"""Pixels of the title bar that must be on a screen so that the window can be taken by it."""

TITLE_BAR: Final = 32


def brought_back(place: QRect, screens: Sequence[QRect]) -> QRect:
    """Return a place of which the title bar can be seen and taken on one of the screens, without one to spare for.

    A window whose title bar is on a screen keeps its place; any other one comes to the middle of the first screen, and
    is no larger than that.
    """
    bar = QRect(place.left(), place.top(), place.width(), TITLE_BAR)
    for screen in screens:
        seen = bar.intersected(screen)
        if seen.width() >= GRIP and seen.height() >= TITLE_BAR // 2:
            return place
    return centred(place, screens[0]) if screens else place


def centred(place: QRect, screen: QRect) -> QRect:
    """Return a window in the middle of a screen, made smaller where it is larger than the screen."""
    size = place.size().boundedTo(screen.size())
    found = QRect(screen.topLeft(), size)
    found.moveCenter(screen.center())
    return found
