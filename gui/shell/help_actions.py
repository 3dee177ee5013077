"""What helps with the window: its commands and keys, the glossary, the tour."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QDialog

from gui.shell.open_dialogs import OpenDialogs

if TYPE_CHECKING:
    from gui.help.tour import Tour
    from gui.shell.main_window import MainWindow


class HelpActions:
    """Opens what helps, over a window; its code is loaded when it is first asked for."""

    def __init__(self, window: MainWindow) -> None:
        self._window, self._keys = window, window.session.keys
        self._stand = OpenDialogs()
        self.tour: Tour | None = None

    def start_tour(self) -> None:
        """Lead through the window, unless somebody is being led already."""
        from gui.help.stops import make_stops
        from gui.help.tour import Tour

        if self.tour is None:
            self.tour = Tour(self._window, make_stops(self._window))
            self.tour.ended.connect(self._tour_ended)

    def show_glossary(self) -> None:
        """Explain the words of the field."""
        from gui.help.glossary_dialog import GlossaryDialog

        self._stand.show("glossary", partial(GlossaryDialog, self._window))

    def show_keys(self) -> None:
        """Show every command with its keys."""
        from gui.help.shortcuts_dialog import ShortcutsDialog

        self._stand.show("keys", partial(ShortcutsDialog, self._keys, self._window))

    def show_palette(self) -> None:
        """Offer every command by its words."""
        from gui.help.command_palette import CommandPalette

        self._stand.show("palette", partial(CommandPalette, self._keys, self._window))

    def dialog(self, name: str) -> QDialog | None:
        """Return an open dialog: ``keys``, ``palette``, ``glossary``."""
        return self._stand.get(name)

    def _tour_ended(self) -> None:
        self.tour = None
