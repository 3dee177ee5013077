"""Scans an output folder in a thread, one batch a signal."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QObject, QThread, pyqtSignal

from gui.gallery.scan import read_notes, scan_images, summarize
from gui.workers.image_check import find_flaws


class ScanThread(QThread):
    """Looks through one folder once.

    Signals
    -------
    noted
        Carries the `FolderNotes`; comes before the first batch.
    batch
        Carries a list of `GalleryItem`.
    flawed
        Carries a list of `Flaw`; comes after the last batch.
    summarized
        Carries the `FolderSummary`.
    failed
        Carries the exception.
    """

    noted = pyqtSignal(object)
    batch = pyqtSignal(object)
    flawed = pyqtSignal(object)
    summarized = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(self, output: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.output = output

    def run(self) -> None:
        """Scan; called by Qt in the new thread."""
        try:
            self._look()
        except Exception as error:  # noqa: BLE001 - the boundary of the thread: the error becomes a signal
            self.failed.emit(error)

    def _look(self) -> None:
        self.summarized.emit(summarize(self.output))
        notes = read_notes(self.output)
        self.noted.emit(notes)
        batches = []
        for items in scan_images(self.output, notes.runs):
            if self.isInterruptionRequested():
                return
            batches.append(items)
            self.batch.emit(items)
            self.msleep(1)  # lets the GUI thread take the batch in before the next one is made
        for items in batches:
            if self.isInterruptionRequested():
                return
            flaws = find_flaws(item.path for item in items)
            if flaws:
                self.flawed.emit(flaws)
