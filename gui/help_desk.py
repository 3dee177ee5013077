"""What helps with the window: its commands and keys, the glossary, the tour; one of a kind at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt5 import sip
from PyQt5.QtWidgets import QDialog

from gui.dialogs.command_palette import CommandPalette
from gui.dialogs.glossary_dialog import GlossaryDialog
from gui.dialogs.shortcuts_dialog import ShortcutsDialog
from gui.tour.stops import make_stops
from gui.tour.tour import Tour

if TYPE_CHECKING:
    from gui.main_window import MainWindow


class HelpDesk:
    """Opens what helps, over a window."""

    def __init__(self, window: MainWindow) -> None:
        self._window, self._keys = window, window.session.keys
        self._open: dict[str, QDialog] = {}
        self.tour: Tour | None = None

    def start_tour(self) -> None:
        """Lead through the window, unless somebody is being led already."""
        if self.tour is None:
            self.tour = Tour(self._window, make_stops(self._window))
            self.tour.ended.connect(self._tour_ended)

    def show_glossary(self) -> None:
        """Explain the words of the field."""
        self._show("glossary", lambda: GlossaryDialog(self._window))

    def show_keys(self) -> None:
        """Show every command with its keys."""
        self._show("keys", lambda: ShortcutsDialog(self._keys, self._window))

    def show_palette(self) -> None:
        """Offer every command by its words."""
        self._show("palette", lambda: CommandPalette(self._keys, self._window))

    def dialog(self, name: str) -> QDialog | None:
        """Return an open dialog: ``keys``, ``palette``, ``glossary``."""
        found = self._open.get(name)
        return None if found is None or sip.isdeleted(found) else found

    def _tour_ended(self) -> None:
        self.tour = None

    def _show(self, name: str, make: Callable[[], QDialog]) -> None:
        dialog = self.dialog(name)
        if dialog is None:
            dialog = self._open[name] = make()
            dialog.open()
        dialog.raise_()
        dialog.activateWindow()
