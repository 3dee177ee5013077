"""Notices when the output folder vanishes, comes back, or is changed by another program."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from core.taxonomy import CLASS_CODES
from dataset.layout import Layout
from gui.workers.task import TaskRunner

INTERVAL_MS: Final = 3000


@dataclass(frozen=True, slots=True)
class Glance:
    """Whether a folder is there, and when each class folder and the ratings were last changed."""

    is_there: bool
    times: tuple[int, ...] = ()


class FolderWatch(QObject):
    """Glances at a folder now and then, beside the GUI thread: the folder may lie on a drive that does not answer.

    Signals
    -------
    presence
        Carries whether the folder is there: after the first glance, and whenever that changes.
    changed
        Files came or went, the whole folder included.
    """

    presence = pyqtSignal(bool)
    changed = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = TaskRunner(1, self)
        self._folder: Path | None = None
        self._last: Glance | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)

    def open(self, folder: Path) -> None:
        """Watch another folder."""
        self._folder, self._last = folder, None
        self._timer.start(INTERVAL_MS)
        self.look()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    def look(self) -> None:
        """Glance at the folder, unless the last glance has not come back yet."""
        folder = self._folder
        if folder is not None and self._tasks.is_idle:
            self._tasks.start(lambda: glance(folder), lambda seen: self._compare(folder, seen), lambda _: None)

    def _compare(self, folder: Path, seen: Glance) -> None:
        if folder != self._folder:
            return
        last, self._last = self._last, seen
        if last is None or last.is_there != seen.is_there:
            self.presence.emit(seen.is_there)
        if last is not None and last != seen:
            self.changed.emit()


def glance(folder: Path) -> Glance:
    """Look at a folder once."""
    if not folder.is_dir():
        return Glance(False)
    layout = Layout(folder)
    return Glance(True, tuple(_changed_at(layout.class_dir(code)) for code in CLASS_CODES))


def _changed_at(path: Path) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
