"""Stars and rejections of the images of the output folder: changed at once, saved a moment later beside the GUI."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal

from core.errors import OutputError
from dataset.ratings import UNRATED, Rating, write_ratings
from dataset.record import Key
from gui.workers.task import TaskRunner


class RatingsModel(QObject):
    """The ratings of one folder.

    Signals
    -------
    changed
        Carries the list of keys whose ratings are others now.
    failed
        Saving did not work; carries the exception.
    """

    changed = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = TaskRunner(1, self)
        self._folder: Path | None = None
        self._ratings: dict[Key, Rating] = {}
        self._unsaved: dict[Key, Rating] = {}
        self._in_flight: dict[Key, Rating] = {}

    def open(self, folder: Path) -> None:
        """Begin with another folder, about which nothing is known yet."""
        self.save_now()
        self._folder, self._ratings = folder, {}

    def load(self, ratings: Mapping[Key, Rating]) -> None:
        """Take what was read; what was rated in the meantime counts more."""
        before = self._ratings
        self._ratings = {**ratings, **self._in_flight, **self._unsaved}
        keys = before.keys() | self._ratings.keys()
        self._tell([key for key in keys if before.get(key) != self._ratings.get(key)])

    def get(self, key: Key) -> Rating:
        """Return the rating of an image."""
        return self._ratings.get(key, UNRATED)

    def rate(self, keys: Iterable[Key], stars: int) -> None:
        """Give images a number of stars, 0 for none."""
        self._set({key: Rating(stars, self.get(key).rejected) for key in keys})

    def toggle_rejected(self, keys: Iterable[Key]) -> None:
        """Reject images, or take that back if all of them are rejected."""
        wanted = list(keys)
        reject = not all(self.get(key).rejected for key in wanted)
        self._set({key: Rating(self.get(key).stars, reject) for key in wanted})

    def save_now(self) -> None:
        """Save what is not saved yet before returning; for the end of the program and for another folder."""
        if self._unsaved and self._folder:
            try:
                write_ratings(self._folder, self._take_unsaved())
            except OutputError as error:
                self.failed.emit(error)

    def _set(self, ratings: dict[Key, Rating]) -> None:
        fresh = {key: rating for key, rating in ratings.items() if rating != self.get(key)}
        if fresh:
            self._ratings |= fresh
            self._unsaved |= fresh
            self._tell(list(fresh))
            self._save()

    def _tell(self, keys: list[Key]) -> None:
        if keys:
            self.changed.emit(keys)

    def _save(self) -> None:
        if self._in_flight or not self._unsaved or self._folder is None:
            return
        folder, ratings = self._folder, self._take_unsaved()
        self._in_flight = ratings
        self._tasks.start(lambda: write_ratings(folder, ratings), lambda _: self._saved(), self._not_saved)

    def _take_unsaved(self) -> dict[Key, Rating]:
        taken, self._unsaved = self._unsaved, {}
        return taken

    def _saved(self) -> None:
        self._in_flight = {}
        self._save()

    def _not_saved(self, error: BaseException) -> None:
        self._in_flight = {}
        self.failed.emit(error)
        self._save()
