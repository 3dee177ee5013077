"""Which classes are asked for, how many images of each, and which of them the chosen models can make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from PyQt5.QtCore import QObject, pyqtSignal

from core.models.discovery import ClassModel
from core.taxonomy import CLASS_CODES
from gui.common.settings import SettingsModel

FIRST_CHOICE: Final = ("MEL", "NV")
"""Checked at the very first start: the pair that most studies are about."""

MAX_IMAGES: Final = 10_000


@dataclass(frozen=True, slots=True)
class ClassChoice:
    """One row: what is asked for, and whether it can be had.

    Attributes
    ----------
    available
        None while the models folder is being looked at.
    """

    code: str
    checked: bool
    count: int
    available: bool | None = None
    reason: str = ""


class ClassesModel(QObject):
    """The seven rows.

    Signals
    -------
    row_changed
        Carries the class code.
    changed
        Something about the request changed; emitted once after any number of rows.
    """

    row_changed = pyqtSignal(str)
    changed = pyqtSignal()

    def __init__(self, settings: SettingsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._rows = {code: self._restored(code) for code in CLASS_CODES}

    def row(self, code: str) -> ClassChoice:
        """Return one row."""
        return self._rows[code]

    def counts(self) -> dict[str, int]:
        """Return the images asked for, of the classes that are checked and available."""
        return {row.code: row.count for row in self._rows.values() if row.checked and row.available}

    def set_checked(self, code: str, checked: bool) -> None:
        """Check or clear one class."""
        self._update({code: replace(self._rows[code], checked=checked)})

    def set_count(self, code: str, count: int) -> None:
        """Set how many images of one class are asked for."""
        self._update({code: replace(self._rows[code], count=count)})

    def check_all(self, checked: bool) -> None:
        """Check every class that is available, or clear every class."""
        rows = self._rows.values()
        self._update({r.code: replace(r, checked=checked and r.available is not False) for r in rows})

    def set_all_counts(self, count: int) -> None:
        """Give every class the same number of images."""
        self._update({row.code: replace(row, count=count) for row in self._rows.values()})

    def set_availability(self, classes: Mapping[str, ClassModel] | None) -> None:
        """Take over what the models folder says; None while it is being looked at."""
        unknown = {code: replace(row, available=None, reason="") for code, row in self._rows.items()}
        known = {
            code: replace(self._rows[code], available=found.available, reason=found.reason)
            for code, found in (classes or {}).items()
        }
        self._update(unknown | known)

    def _restored(self, code: str) -> ClassChoice:
        recall = self._settings.recall
        return ClassChoice(
            code,
            checked=recall(f"classes/{code}/checked", code in FIRST_CHOICE, bool),
            count=max(1, min(MAX_IMAGES, recall(f"classes/{code}/count", self._settings.get("generation.count"), int))),
        )

    def _update(self, rows: dict[str, ClassChoice]) -> None:
        changed = {code: row for code, row in rows.items() if row != self._rows[code]}
        self._rows.update(changed)
        for code, row in changed.items():
            self._settings.remember(f"classes/{code}/checked", row.checked)
            self._settings.remember(f"classes/{code}/count", row.count)
            self.row_changed.emit(code)
        if changed:
            self.changed.emit()
