"""Thumbnails: made in a pool, kept in bounded memory, latest wish first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtGui import QImage, QPixmap

from gui.gallery.thumbnail_cache import load_thumbnail
from gui.workers.task import TaskRunner

KEPT: Final = 400
"""Thumbnails in memory, a few screens full: 96 x 96 pixels of 4 bytes each, 15 MB at most; the others are on disk."""

WAITING: Final = 160
"""Requests kept waiting: what was scrolled past long ago is not worth loading."""


class ThumbnailStore(QObject):
    """Hands out thumbnails, or None and a signal later.

    Parameters
    ----------
    read
        Reads a file as a small image, a null one if it cannot; called on the threads of `tasks`.

    Signals
    -------
    ready
        Carries the path of a thumbnail that `get` now returns, or whose file turned out to be broken.
    """

    ready = pyqtSignal(str)

    def __init__(
        self, tasks: TaskRunner, parent: QObject | None = None, read: Callable[[str], QImage] = load_thumbnail
    ) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._read = read
        self._pixmaps: OrderedDict[str, QPixmap] = OrderedDict()
        self._broken: set[str] = set()
        self._wishes: OrderedDict[str, None] = OrderedDict()
        self._loading: set[str] = set()

    def get(self, path: str) -> QPixmap | None:
        """Return the thumbnail of a file, or None and load it."""
        pixmap = self._pixmaps.get(path)
        if pixmap is not None:
            self._pixmaps.move_to_end(path)
            return pixmap
        if path not in self._broken and path not in self._loading:
            self._wish(path)
        return None

    def is_broken(self, path: str) -> bool:
        """Whether the file turned out not to be a readable image."""
        return path in self._broken

    def drop(self, path: str) -> None:
        """Forget one file, as when it was deleted or changed."""
        self._pixmaps.pop(path, None)
        self._broken.discard(path)
        self._wishes.pop(path, None)

    def forget(self) -> None:
        """Forget everything, as for another folder."""
        self._pixmaps.clear()
        self._broken.clear()
        self._wishes.clear()

    def _wish(self, path: str) -> None:
        self._wishes[path] = None
        self._wishes.move_to_end(path)
        while len(self._wishes) > WAITING:
            self._wishes.popitem(last=False)
        self._feed()

    def _feed(self) -> None:
        while self._wishes and len(self._loading) < 2:
            path, _ = self._wishes.popitem(last=True)
            self._loading.add(path)
            self._load(path)

    def _load(self, path: str) -> None:
        self._tasks.start(
            lambda: self._read(path),
            lambda image: self._accept(path, image),
            lambda _: self._accept(path, None),
        )

    def _accept(self, path: str, image: QImage | None) -> None:
        self._loading.discard(path)
        if image is None or image.isNull():
            self._broken.add(path)
        else:
            self._keep(path, QPixmap.fromImage(image))
        self.ready.emit(path)
        self._feed()

    def _keep(self, path: str, pixmap: QPixmap) -> None:
        self._pixmaps[path] = pixmap
        while len(self._pixmaps) > KEPT:
            self._pixmaps.popitem(last=False)
