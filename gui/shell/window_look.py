"""What a new window takes over from the old one beyond what the session knows: where somebody was looking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt

if TYPE_CHECKING:
    from gui.shell.main_window import MainWindow


def copy_look(old: MainWindow, new: MainWindow) -> None:
    """Let a window look at the same things as another window of the session."""
    if not old.windowState() & (Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen):
        new.setGeometry(old.geometry())
    _copy_picture(old, new)
    new.gallery.take_over(old.gallery)
    new.log.take_over(old.log)
    new.queue.list.setCurrentIndex(old.queue.list.currentIndex())
    new.setup.advanced.set_open(old.setup.advanced.is_open)
    new.setup.devices.set_open(old.setup.devices.is_open)


def _copy_picture(old: MainWindow, new: MainWindow) -> None:
    new.picture.tabs.setCurrentIndex(old.picture.tabs.currentIndex())
    new.picture.pixels.setChecked(old.picture.pixels.isChecked())
    new.picture.compare.set_mode(old.picture.compare.mode)
    place = old.picture.view.place()
    if not place.fits:
        new.picture.view.show_place(place)
