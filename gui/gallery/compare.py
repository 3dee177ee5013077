"""Two pictures against each other: A stays, B follows what is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal

from gui.common.picture import Picture, read_picture
from gui.workers.task import TaskRunner


@dataclass(frozen=True, slots=True)
class Difference:
    """How far two pictures of one size are from each other, in units of 1/255 over all pixels and channels."""

    largest: int
    mean: float


class CompareModel(QObject):
    """The pictures A and B.

    Signals
    -------
    changed
        Look at `a`, `b`, `difference` and `note`.
    asked
        Somebody wants to compare: the comparison should come to the front.
    failed
        A file could not be read; carries the exception.

    Attributes
    ----------
    difference
        None while a picture is missing, and between pictures of different sizes.
    note
        What B is, if it is no file: an image made again.
    """

    changed = pyqtSignal()
    asked = pyqtSignal()
    failed = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = TaskRunner(1, self)
        self._wanted: tuple[Path, Path] | None = None
        self.a: Picture | None = None
        self.b: Picture | None = None
        self.difference: Difference | None = None
        self.note = ""

    def pin(self, picture: Picture | None) -> None:
        """Make a picture A; what is shown next becomes B."""
        self._wanted = None
        self._show(picture, None)
        if picture:
            self.asked.emit()

    def follow(self, picture: Picture | None) -> None:
        """Make the picture that is looked at B, if there is an A, and B is a file."""
        if self.a and picture and not self.note and picture.path != self.a.path:
            self._show(self.a, picture)

    def compare_files(self, a: Path, b: Path) -> None:
        """Read two files and compare them; the latest call wins."""
        self._wanted = (a, b)
        self.asked.emit()
        self._tasks.start(
            lambda: (read_picture(a), read_picture(b)), lambda both: self._accept((a, b), *both), self._refuse
        )

    def compare(self, a: Picture, b: Picture, note: str) -> None:
        """Compare two pictures, the second of which is no file."""
        self._wanted = None
        self._show(a, b, note)
        self.asked.emit()

    def swap(self) -> None:
        """Exchange the two."""
        self._show(self.b, self.a, self.note)

    def clear(self) -> None:
        """Compare nothing."""
        self.pin(None)

    def _accept(self, wanted: tuple[Path, Path], a: Picture, b: Picture) -> None:
        if wanted == self._wanted:
            self._show(a, b)

    def _refuse(self, error: BaseException) -> None:
        self.failed.emit(error)

    def _show(self, a: Picture | None, b: Picture | None, note: str = "") -> None:
        self.a, self.b, self.note, self.difference = a, b, note, None
        self.changed.emit()
        if a and b:
            self._tasks.start(lambda: difference(a, b), lambda found: self._measured(a, b, found), self._refuse)

    def _measured(self, a: Picture, b: Picture, found: Difference | None) -> None:
        if self.a is a and self.b is b:
            self.difference = found
            self.changed.emit()


def difference(a: Picture, b: Picture) -> Difference | None:
    """Return how far two pictures are from each other, or None if their sizes differ."""
    if a.pixels.shape != b.pixels.shape:
        return None
    import numpy as np

    gap = np.abs(a.pixels.astype(np.int16) - b.pixels)
    return Difference(int(gap.max()), float(gap.mean()))
