"""What helps with the window: its commands and keys; one dialog of a kind at a time."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5 import sip
from PyQt5.QtWidgets import QDialog, QWidget

from gui.dialogs.command_palette import CommandPalette
from gui.dialogs.shortcuts_dialog import ShortcutsDialog
from gui.state.keys import KeysModel


class HelpDesk:
    """Opens the dialogs of help for a window."""

    def __init__(self, window: QWidget, keys: KeysModel) -> None:
        self._window, self._keys = window, keys
        self._open: dict[str, QDialog] = {}

    def show_keys(self) -> None:
        """Show every command with its keys."""
        self._show("keys", lambda: ShortcutsDialog(self._keys, self._window))

    def show_palette(self) -> None:
        """Offer every command by its words."""
        self._show("palette", lambda: CommandPalette(self._keys, self._window))

    def dialog(self, name: str) -> QDialog | None:
        """Return an open dialog: ``keys``, ``palette``."""
        found = self._open.get(name)
        return None if found is None or sip.isdeleted(found) else found

    def _show(self, name: str, make: Callable[[], QDialog]) -> None:
        dialog = self.dialog(name)
        if dialog is None:
            dialog = self._open[name] = make()
            dialog.open()
        dialog.raise_()
        dialog.activateWindow()
