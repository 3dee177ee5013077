"""What the chosen models folder holds; looked at beside the GUI thread, since it may be a slow network folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal

from core.models.discovery import Catalog
from gui.i18n import translate
from gui.workers.task import TaskRunner

Discover = Callable[[Path], Catalog]


class CatalogModel(QObject):
    """The catalogue of the models folder in force.

    Signals
    -------
    changed
        `catalog` is another one; it is None while the folder is being looked at.
    failed
        The folder could not be looked at; carries the exception.
    """

    changed = pyqtSignal()
    failed = pyqtSignal(object)

    def __init__(self, discover: Discover, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._discover = discover
        self._tasks = tasks
        self.folder: Path | None = None
        self.catalog: Catalog | None = None
        self._looks = 0

    @property
    def title(self) -> str:
        """The catalogue's name, empty while there is none."""
        return translate(self.catalog.title) if self.catalog else ""

    @property
    def has_color_statistics(self) -> bool:
        """Whether colour statistics lie next to the models, and some model wants them."""
        return self.catalog is not None and any(map(self.catalog.corrects_colors, self.catalog.available))

    def look(self, folder: Path) -> None:
        """Look at a folder; the latest call wins, also over an earlier one at the same folder that takes longer."""
        self.folder, self.catalog = folder, None
        self._looks += 1
        self.changed.emit()
        self._tasks.start(
            partial(self._discover, folder), partial(self._accept, self._looks), partial(self._refuse, self._looks)
        )

    def _accept(self, look: int, catalog: Catalog) -> None:
        if look == self._looks:
            self.catalog = catalog
            self.changed.emit()

    def _refuse(self, look: int, error: BaseException) -> None:
        if look == self._looks:
            self.failed.emit(error)
