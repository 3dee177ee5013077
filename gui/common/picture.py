"""The picture that is shown: its pixels and the recipe that made it, read beside the GUI thread."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal

from core.errors import InputRefusedError
from core.taxonomy import CLASS_INDEX
from dataset.reading import embedded_recipe
from dataset.recipe import Recipe
from gui.workers.image_check import GONE, Flaw, find_flaw
from gui.workers.task import TaskRunner

if TYPE_CHECKING:  # annotations only: numpy takes a fifth of a second that the window's start does not have
    import numpy as np
    from numpy.typing import NDArray

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file, read.

    Attributes
    ----------
    pixels
        uint8, shape (H, W, 3).
    recipe
        What made it; None for an image of another origin.
    content
        SHA-256 of the pixels: what explanations are cached by.
    """

    path: Path
    pixels: NDArray[np.uint8]
    recipe: Recipe | None
    content: str

    @property
    def label(self) -> str | None:
        """The class it was made for, or whose folder it lies in; None if neither is known."""
        if self.recipe:
            return self.recipe.class_code
        folder = self.path.parent.name
        return folder if folder in CLASS_INDEX else None


def read_picture(path: Path) -> Picture:
    """Read an image file and its recipe.

    Raises
    ------
    InputRefusedError
        If the file is no image that this program reads.
    """
    from core.images import read_image  # brings Pillow and numpy: not before the window is shown

    pixels = read_image(path)
    return Picture(path, pixels, embedded_recipe(path), hashlib.sha256(pixels.tobytes()).hexdigest())


def look_at(path: Path) -> Picture | Flaw:
    """Read an image file; of one that is plainly damaged or too large, return why it cannot be shown.

    Raises
    ------
    InputRefusedError
        If the file is gone, or it takes more than a glance to see what is wrong with it.
    """
    try:
        return read_picture(path)
    except InputRefusedError:
        flaw = find_flaw(str(path))
        if flaw is None or flaw.kind == GONE:
            raise
        return flaw


class PictureModel(QObject):
    """The shown picture.

    Attributes
    ----------
    picture
        What is shown, if anything is.
    flaw
        Why nothing is shown though a file was chosen.

    Signals
    -------
    changed
        Another picture is shown, or none.
    failed
        A file could not be shown; carries the exception.
    """

    changed = pyqtSignal()
    failed = pyqtSignal(object)

    def __init__(self, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._wanted: Path | None = None
        self._reading = False
        self.picture: Picture | None = None
        self.flaw: Flaw | None = None

    @property
    def path(self) -> Path | None:
        """The file that is shown, or of which it is said why it is not."""
        return self.picture.path if self.picture else Path(self.flaw.path) if self.flaw else None

    def show(self, path: Path) -> None:
        """Show a file; of many calls in a row only the latest is read."""
        self._wanted = path
        if not self._reading:
            self._read(path)

    def clear(self) -> None:
        """Show nothing."""
        self._wanted, self.picture, self.flaw = None, None, None
        self.changed.emit()

    def _read(self, path: Path) -> None:
        self._reading = True
        self._tasks.start(
            lambda: look_at(path),
            lambda found: self._accept(path, found),
            lambda error: self._refuse(path, error),
        )

    def _accept(self, path: Path, found: Picture | Flaw) -> None:
        if self._is_outdated(path):
            return
        if isinstance(found, Flaw):
            _log.info("Not shown: %s, %s", path, found.kind)
            self.picture, self.flaw = None, found
        else:
            self.picture, self.flaw = found, None
        self.changed.emit()

    def _refuse(self, path: Path, error: BaseException) -> None:
        if not self._is_outdated(path):
            self.failed.emit(error)

    def _is_outdated(self, path: Path) -> bool:
        """Close a reading; if something else is wanted by now, read that."""
        self._reading = False
        if path == self._wanted:
            return False
        if self._wanted:
            self._read(self._wanted)
        return True
