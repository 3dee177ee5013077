"""Scans an output folder in a thread, one batch a signal."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QObject, QThread, pyqtSignal

from gui.workers.scan import scan_images, summarize


class ScanThread(QThread):
    """Looks through one folder once.

    Signals
    -------
    batch
        Carries a list of `GalleryItem`.
    summarized
        Carries the `FolderSummary`.
    failed
        Carries the exception.
    """

    batch = pyqtSignal(object)
    summarized = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(self, output: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.output = output

    def run(self) -> None:
        """Scan; called by Qt in the new thread."""
        try:
            self.summarized.emit(summarize(self.output))
            for items in scan_images(self.output):
                if self.isInterruptionRequested():
                    return
                self.batch.emit(items)
                self.msleep(1)  # lets the GUI thread take the batch in before the next one is made
        except Exception as error:  # noqa: BLE001 - the boundary of the thread: the error becomes a signal
            self.failed.emit(error)
