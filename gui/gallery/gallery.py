"""The images of the output folder, as a list model that stays quick at ten thousand."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from PyQt5.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, pyqtSignal
from PyQt5.QtGui import QPixmap

from core.taxonomy import class_name
from dataset.ratings import Rating
from dataset.record import Key
from gui.gallery.flaws import flaw_words, rating_words
from gui.gallery.gallery_filter import GalleryFilter
from gui.gallery.ratings import RatingsModel
from gui.gallery.scan import FolderNotes, FolderSummary, GalleryItem, item_of, xai_run
from gui.gallery.scan_thread import ScanThread
from gui.gallery.thumbnails import ThumbnailStore
from gui.i18n import tr, translate
from gui.workers.image_check import Flaw

_NOWHERE = QModelIndex()

RESET_FROM: Final = 50
"""So many rows that go or come at once are told to the view as one change of everything."""


class GalleryModel(QAbstractListModel):
    """Images in the order shown: those made while the window is open first, then each class, latest first.

    Signals
    -------
    counted
        The number of images per class has changed, or another number of them is shown.
    summarized
        The explanations that lie in the folder are known; carries a `FolderSummary`.
    flawed
        Files were found that cannot be shown; look at `flaws`.
    failed
        The folder could not be looked at; carries the exception.
    """

    counted = pyqtSignal()
    summarized = pyqtSignal(object)
    flawed = pyqtSignal()
    failed = pyqtSignal(object)

    def __init__(self, thumbnails: ThumbnailStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.thumbnails = thumbnails
        self.ratings = RatingsModel(self)
        self.output: Path | None = None
        self.counts: Counter[str] = Counter()
        self.runs: Counter[str] = Counter()
        self.flaws: dict[str, Flaw] = {}
        self.filter = GalleryFilter()
        self.scanning = False
        self._all: list[GalleryItem] = []
        self._shown: list[GalleryItem] = []
        self._rows: dict[str, int] = {}
        self._known: set[str] = set()
        self._seen: set[str] = set()
        self._is_first_look = True
        self.summary: FolderSummary | None = None
        self._thread: ScanThread | None = None
        thumbnails.ready.connect(self._thumbnail_ready)
        self.ratings.changed.connect(self._ratings_changed)

    @property
    def is_reading(self) -> bool:
        """Whether it is not known yet what the folder holds."""
        return self.output is None or (self.scanning and self._is_first_look)

    def open(self, output: Path) -> None:
        """Show the images of another folder."""
        self.stop()
        self.scanning = self._is_first_look = True
        self.beginResetModel()
        self.output = output
        self.filter = dataclasses.replace(self.filter, run="")
        self._all, self._shown = [], []
        self._rows, self._known = {}, set()
        self.counts.clear()
        self.runs.clear()
        self.flaws.clear()
        self.summary = None
        self.thumbnails.forget()
        self.ratings.open(output)
        self.endResetModel()
        self.counted.emit()
        self.flawed.emit()
        self._scan(output, is_first_look=True)

    def stop(self) -> None:
        """Stop looking through the folder, and save what was rated."""
        self.ratings.save_now()
        if self._thread:
            self._thread.requestInterruption()
            self._thread.wait()
            self._thread = None
            self.scanning = False

    def add(self, path: Path, class_code: str, run: str = "") -> None:
        """Put an image that has just been made in front."""
        if self.output and self.output in path.parents and str(path) not in self._known:
            self._take_in([item_of(path, class_code, run)], in_front=True)

    def refresh(self) -> None:
        """Look through the folder again: what is gone goes, what is new comes, the rest keeps its place."""
        if self.output:
            self.stop()
            self._scan(self.output, is_first_look=False)

    def add_explained(self, folder: Path) -> None:
        """Put a folder of explanations that has just been made in front."""
        runs = self.summary.xai_runs if self.summary else ()
        others = tuple(run for run in runs if run.path != str(folder))
        self.summary = FolderSummary((xai_run(folder), *others))
        self.summarized.emit(self.summary)

    def remove(self, paths: Iterable[str]) -> None:
        """Take images out that are no longer there."""
        gone = set(paths) & self._known
        if not gone:
            return
        removed = [item for item in self._all if item.path in gone]
        self._all = [item for item in self._all if item.path not in gone]
        self._known -= gone
        self.counts -= Counter(item.class_code for item in removed)
        self.runs -= Counter(item.run for item in removed if item.run)
        self._hide(gone)
        for path in gone:
            self.thumbnails.drop(path)
            self.flaws.pop(path, None)
        self.counted.emit()
        self.flawed.emit()

    def set_filter(self, class_code: str) -> None:
        """Show one class only, or all for an empty code."""
        self.narrow(class_code=class_code)

    def narrow(self, **changes: str) -> None:
        """Change parts of the filter: `class_code`, `run`, `rating`."""
        self.beginResetModel()
        self.filter = dataclasses.replace(self.filter, **changes)
        self._shown = [item for item in self._all if self._fits(item)]
        self._rows = {}
        self.endResetModel()
        self.counted.emit()

    def item(self, row: int) -> GalleryItem:
        """Return the image in a row."""
        return self._shown[row]

    def items(self) -> list[GalleryItem]:
        """Return the images shown, in order."""
        return list(self._shown)

    def key_of(self, path: Path) -> Key | None:
        """Return class and file name of an image of this folder, or None if the file is none of them."""
        return (path.parent.name, path.name) if str(path) in self._known else None

    def rejected(self) -> list[GalleryItem]:
        """Return every rejected image of the folder, shown or not."""
        return [item for item in self._all if self.ratings.get(item.key).rejected]

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
            return self._describe(item)
        if role == Qt.ItemDataRole.UserRole:
            return item
        return None

    def thumbnail(self, item: GalleryItem) -> QPixmap | None:
        """Return the thumbnail, or None while it is being made."""
        return self.thumbnails.get(item.path)

    def rating(self, item: GalleryItem) -> Rating:
        """Return the rating of an image."""
        return self.ratings.get(item.key)

    def _describe(self, item: GalleryItem) -> str:
        parts = [
            f"{item.name}, {item.class_code} {translate(class_name(item.class_code))}",
            rating_words(self.rating(item)),
        ]
        if item.path in self.flaws:
            parts.append(flaw_words(self.flaws[item.path]))
        elif self.thumbnails.is_broken(item.path):
            parts.append(tr("cannot be read as an image"))
        return ", ".join(part for part in parts if part)

    def _fits(self, item: GalleryItem) -> bool:
        return self.filter.fits(item, self.ratings.get(item.key))

    def _scan(self, output: Path, *, is_first_look: bool) -> None:
        self.scanning = True
        self._seen, self._is_first_look = set(), is_first_look
        self._found_flaws: dict[str, Flaw] = {}
        self._thread = ScanThread(output, self)
        self._thread.noted.connect(self._take_notes)
        self._thread.batch.connect(self._take_batch)
        self._thread.summarized.connect(self._take_summary)
        self._thread.flawed.connect(self._take_flaws)
        self._thread.failed.connect(self.failed)
        self._thread.finished.connect(self._end_scan)
        self._thread.start()

    def _is_stale(self) -> bool:
        return self.sender() is not self._thread

    def _take_notes(self, notes: FolderNotes) -> None:
        if not self._is_stale():
            self.ratings.load(notes.ratings)

    def _take_batch(self, items: list[GalleryItem]) -> None:
        if not self._is_stale():
            self._seen.update(item.path for item in items)
            fresh = [item for item in items if item.path not in self._known]
            if self._is_first_look or len(fresh) >= RESET_FROM:
                self._take_in(fresh, in_front=False)
            else:
                for item in fresh:
                    self._put_in_place(item)

    def _take_summary(self, summary: FolderSummary) -> None:
        if not self._is_stale():
            self.summary = summary
            self.summarized.emit(summary)

    def _take_flaws(self, flaws: list[Flaw]) -> None:
        if not self._is_stale():
            self._found_flaws |= {flaw.path: flaw for flaw in flaws}

    def _end_scan(self) -> None:
        if self._is_stale():
            return
        self.scanning = False
        if not self._is_first_look:
            self.remove([path for path in self._known - self._seen if not os.path.exists(path)])
        self._show_flaws()
        self.counted.emit()

    def _show_flaws(self) -> None:
        """Name what was found this time; what has been repaired since the last time gets a new thumbnail."""
        repaired = self.flaws.keys() - self._found_flaws.keys()
        self.flaws = {path: flaw for path, flaw in self._found_flaws.items() if path in self._known}
        for path in repaired:
            self.thumbnails.drop(path)
            self._tell_row(path)
        self.flawed.emit()

    def _take_in(self, items: list[GalleryItem], *, in_front: bool) -> None:
        if not items:
            return
        self._known.update(item.path for item in items)
        self.counts.update(item.class_code for item in items)
        self.runs.update(item.run for item in items if item.run)
        at_all, at_shown = (0, 0) if in_front else (len(self._all), len(self._shown))
        self._all[at_all:at_all] = items
        self._show_at(at_shown, [item for item in items if self._fits(item)])
        self.counted.emit()

    def _put_in_place(self, item: GalleryItem) -> None:
        """Take in an image where the first look would have put it, as when a deletion is undone."""
        self._known.add(item.path)
        self.counts[item.class_code] += 1
        self.runs.update([item.run] if item.run else [])
        self._all.insert(_place_among(self._all, item), item)
        if self._fits(item):
            self._show_at(_place_among(self._shown, item), [item])
        self.counted.emit()

    def _show_at(self, row: int, items: list[GalleryItem]) -> None:
        if items:
            self.beginInsertRows(QModelIndex(), row, row + len(items) - 1)
            self._shown[row:row] = items
            self._rows = {}
            self.endInsertRows()

    def _hide(self, paths: set[str]) -> None:
        """Take rows away."""
        rows = sorted((row for path in paths if (row := self._row_index().get(path)) is not None), reverse=True)
        if len(rows) >= RESET_FROM:
            self.beginResetModel()
            self._shown = [item for item in self._shown if item.path not in paths]
            self._rows = {}
            self.endResetModel()
            return
        for row in rows:
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._shown[row]
            self._rows = {}
            self.endRemoveRows()

    def _row_index(self) -> dict[str, int]:
        if len(self._rows) != len(self._shown):
            self._rows = {item.path: row for row, item in enumerate(self._shown)}
        return self._rows

    def _thumbnail_ready(self, path: str) -> None:
        self._tell_row(path)

    def _tell_row(self, path: str) -> None:
        row = self._row_index().get(path)
        if row is not None:
            index = self.index(row)
            self.dataChanged.emit(index, index, [Qt.ItemDataRole.DecorationRole])

    def _ratings_changed(self, keys: list[Key]) -> None:
        """Draw the images of these keys anew; those that the filter no longer lets through go."""
        if self.output is None:
            return
        paths = [os.path.join(str(self.output), *key) for key in keys]
        rows = self._row_index()
        shown = [path for path in paths if path in rows]
        self._hide({path for path in shown if not self._fits(self._shown[self._row_index()[path]])})
        if len(shown) >= RESET_FROM and self._shown:
            self.dataChanged.emit(self.index(0), self.index(len(self._shown) - 1), [Qt.ItemDataRole.DecorationRole])
        else:
            for path in shown:
                self._tell_row(path)
        self.counted.emit()


def _place_among(items: list[GalleryItem], item: GalleryItem) -> int:
    """Return the place before the next older image of the class, or after the last of the class, or at the end."""
    of_class = [place for place, other in enumerate(items) if other.class_code == item.class_code]
    older = (place for place in of_class if items[place].name < item.name)
    return next(older, of_class[-1] + 1 if of_class else len(items))
