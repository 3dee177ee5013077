"""The images of the output folder, as a list model that stays quick at ten thousand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, pyqtSignal
from PyQt5.QtGui import QPixmap

from core.taxonomy import class_name
from gui.state.thumbnails import ThumbnailStore
from gui.workers.scan import FolderSummary, GalleryItem, item_of
from gui.workers.scan_thread import ScanThread

_NOWHERE = QModelIndex()


class GalleryModel(QAbstractListModel):
    """Images in the order shown: those made while the window is open first, then each class, latest first.

    Signals
    -------
    counted
        The number of images per class has changed.
    summarized
        The explanations that lie in the folder are known; carries a `FolderSummary`.
    failed
        The folder could not be looked at; carries the exception.
    """

    counted = pyqtSignal()
    summarized = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(self, thumbnails: ThumbnailStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.thumbnails = thumbnails
        self.output: Path | None = None
        self.counts: Counter[str] = Counter()
        self.class_filter = ""
        self.scanning = False
        self._all: list[GalleryItem] = []
        self._shown: list[GalleryItem] = []
        self._rows: dict[str, int] = {}
        self._known: set[str] = set()
        self._thread: ScanThread | None = None
        thumbnails.ready.connect(self._thumbnail_ready)

    def open(self, output: Path) -> None:
        """Show the images of another folder."""
        self.stop()
        self.beginResetModel()
        self.output = output
        self._all, self._shown = [], []
        self._rows, self._known = {}, set()
        self.counts.clear()
        self.thumbnails.forget()
        self.endResetModel()
        self.counted.emit()
        self._scan(output)

    def stop(self) -> None:
        """Stop looking through the folder."""
        if self._thread:
            self._thread.requestInterruption()
            self._thread.wait()
            self._thread = None

    def add(self, path: Path, class_code: str) -> None:
        """Put an image that has just been made in front."""
        if self.output and self.output in path.parents and str(path) not in self._known:
            item = item_of(path, class_code)
            self._take_in([item], in_front=True)

    def remove_missing(self) -> None:
        """Look through the folder again, as after a run was taken back."""
        if self.output:
            self.open(self.output)

    def set_filter(self, class_code: str) -> None:
        """Show one class only, or all for an empty code."""
        self.beginResetModel()
        self.class_filter = class_code
        self._shown = [item for item in self._all if class_code in ("", item.class_code)]
        self._rows = {}
        self.endResetModel()

    def item(self, row: int) -> GalleryItem:
        """Return the image in a row."""
        return self._shown[row]

    def row_of(self, path: Path) -> int | None:
        """Return the row of a file, or None if it is not shown."""
        return self._row_index().get(str(path))

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        """Return how many images are shown."""
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a view wants to know of a row."""
        if not index.isValid():
            return None
        item = self._shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return item.name
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{item.name}, {item.class_code} {class_name(item.class_code)}"
        if role == Qt.ItemDataRole.UserRole:
            return item
        return None

    def thumbnail(self, item: GalleryItem) -> QPixmap | None:
        """Return the thumbnail, or None while it is being made."""
        return self.thumbnails.get(item.path)

    def _scan(self, output: Path) -> None:
        self.scanning = True
        self._thread = ScanThread(output, self)
        self._thread.batch.connect(self._take_batch)
        self._thread.summarized.connect(self._take_summary)
        self._thread.failed.connect(self.failed)
        self._thread.finished.connect(self._end_scan)
        self._thread.start()

    def _is_stale(self) -> bool:
        return self.sender() is not self._thread

    def _take_batch(self, items: list[GalleryItem]) -> None:
        if not self._is_stale():
            self._take_in([item for item in items if item.path not in self._known], in_front=False)

    def _take_summary(self, summary: FolderSummary) -> None:
        if not self._is_stale():
            self.summarized.emit(summary)

    def _end_scan(self) -> None:
        if not self._is_stale():
            self.scanning = False
            self.counted.emit()

    def _take_in(self, items: list[GalleryItem], *, in_front: bool) -> None:
        self._known.update(item.path for item in items)
        self.counts.update(item.class_code for item in items)
        fitting = [item for item in items if self.class_filter in ("", item.class_code)]
        at_all, at_shown = (0, 0) if in_front else (len(self._all), len(self._shown))
        self._all[at_all:at_all] = items
        if fitting:
            self.beginInsertRows(QModelIndex(), at_shown, at_shown + len(fitting) - 1)
            self._shown[at_shown:at_shown] = fitting
            self._rows = {}
            self.endInsertRows()
        self.counted.emit()

    def _row_index(self) -> dict[str, int]:
        if len(self._rows) != len(self._shown):
            self._rows = {item.path: row for row, item in enumerate(self._shown)}
        return self._rows

    def _thumbnail_ready(self, path: str) -> None:
        row = self._row_index().get(path)
        if row is not None:
            index = self.index(row)
            self.dataChanged.emit(index, index, [Qt.ItemDataRole.DecorationRole])
