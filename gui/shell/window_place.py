"""Where a window stands: on a screen that is there, whatever screens there were when it was closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PyQt5.QtCore import QRect

from gui.widgets.fitting import TITLE_BAR, room_on

GRIP: Final = 80
"""Pixels of the title bar that must be on a screen so that the window can be taken by it."""


def brought_back(place: QRect, screens: Sequence[QRect]) -> QRect:
    """Return a place of which the title bar can be seen and taken on one of the screens.

    A window whose title bar is on a screen keeps its place, unless that is the only screen and too small for it; any
    other one comes to the middle of the first screen, and is no larger than that.
    """
    bar = QRect(place.left(), place.top(), place.width(), TITLE_BAR)
    for screen in screens:
        seen = bar.intersected(screen)
        if seen.width() >= GRIP and seen.height() >= TITLE_BAR // 2:
            return place if len(screens) > 1 or _fits(place, screen) else centred(place, screen)
    return centred(place, screens[0]) if screens else place


def centred(place: QRect, screen: QRect) -> QRect:
    """Return a window in the middle of a screen, made smaller where it, its title bar and frame find no room there."""
    room = room_on(screen)
    found = QRect(room.topLeft(), place.size().boundedTo(room.size()))
    found.moveCenter(room.center())
    return found


def _fits(place: QRect, screen: QRect) -> bool:
    room = room_on(screen)
    return place.width() <= room.width() and place.height() <= room.height()
