"""Keeps the dialogs of a window, one of a kind at a time."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5 import sip
from PyQt5.QtWidgets import QDialog


class OpenDialogs:
    """Makes a dialog when it is first asked for, and brings it to the front when it is asked for again."""

    def __init__(self) -> None:
        self._open: dict[str, QDialog] = {}

    def show(self, name: str, make: Callable[[], QDialog], *, is_modal: bool = True) -> None:
        """Show the dialog of a name; `make` is called if there is none."""
        dialog = self.get(name)
        if dialog is None:
            dialog = self._open[name] = make()
            (dialog.open if is_modal else dialog.show)()
        dialog.raise_()
        dialog.activateWindow()

    def get(self, name: str) -> QDialog | None:
        """Return an open dialog, or None."""
        found = self._open.get(name)
        return None if found is None or sip.isdeleted(found) else found
