"""How much of a screen a window may take: what lies outside its free part, buttons first, cannot be reached."""

from __future__ import annotations

from typing import Final

from PyQt5.QtCore import QRect, QSize
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QWidget

__all__ = ["FRAME", "TITLE_BAR", "fit", "room_for", "room_on"]

TITLE_BAR: Final = 32

FRAME: Final = 4
"""Pixels that window managers draw around a window; how many exactly is known only once it is shown."""


def room_on(screen: QRect) -> QRect:
    """Return where on a screen the inside of a window can be so that its title bar and frame are seen, too."""
    return screen.adjusted(FRAME, TITLE_BAR, -FRAME, -FRAME)


def room_for(window: QWidget) -> QRect:
    """Return the room on the free part of the screen on which a window, or the one that it belongs to, stands."""
    parent = window.parentWidget()
    middle = parent.window().geometry().center() if parent else window.geometry().center()
    screen = QGuiApplication.screenAt(middle) or QGuiApplication.primaryScreen()
    return room_on(screen.availableGeometry())


def fit(window: QWidget, wanted: tuple[int, int]) -> None:
    """Give a window, whose content scrolls, the size it wants, or as much of that as its screen has."""
    window.resize(QSize(*wanted).boundedTo(room_for(window).size()))
