"""Deleting images of the output folder, and taking that back, beside the GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PyQt5.QtCore import QObject, pyqtSignal

from core.errors import FolderLockedError, OutputError
from core.message import Message
from dataset.reading import read_deletions
from gui.workers.task import TaskRunner

if TYPE_CHECKING:
    from dataset.synthetic_dataset import SyntheticDataset

LOCKED_REMEDY: Final = Message(
    "Wait until the run has ended. Meanwhile images can be rejected (X), to be deleted together."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action did: files that went or came, and how many files of how many deletions lie in the trash now."""

    paths: tuple[str, ...]
    files: int
    deletions: int


class TrashModel(QObject):
    """The trash of one folder.

    Signals
    -------
    changed
        Look at `files` and `deletions`.
    deleted, restored
        Carry the paths, as texts.
    emptied
        Carries the number of files that were deleted for good.
    failed
        Something did not work, or not wholly; carries the exception. The folder should be looked at again.
    """

    changed = pyqtSignal()
    deleted = pyqtSignal(object)
    restored = pyqtSignal(object)
    emptied = pyqtSignal(int)
    failed = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = TaskRunner(1, self)
        self._folder: Path | None = None
        self.files = 0
        self.deletions = 0

    def open(self, folder: Path) -> None:
        """Begin with another folder, and look what lies in its trash."""
        self._folder = folder
        self._show(Outcome((), 0, 0))
        self._start(_look, lambda outcome: None)

    def delete(self, paths: Sequence[str]) -> None:
        """Move images to the trash."""
        if paths:
            self._start(lambda folder: _delete(folder, paths), lambda outcome: self.deleted.emit(outcome.paths))

    def undo(self) -> None:
        """Bring back what was deleted last, also by an earlier window."""
        if self.deletions:
            self._start(_restore_last, lambda outcome: self.restored.emit(outcome.paths))

    def empty(self) -> None:
        """Delete what lies in the trash for good."""
        if self.deletions:
            before = self.files
            self._start(_empty, lambda outcome: self.emptied.emit(before - outcome.files))

    def _start(self, work: Callable[[Path], Outcome], done: Callable[[Outcome], Any]) -> None:
        folder = self._folder
        if folder is None:
            return
        self._tasks.start(
            lambda: work(folder), lambda outcome: self._accept(folder, outcome, done), lambda e: self._refuse(folder, e)
        )

    def _accept(self, folder: Path, outcome: Outcome, done: Callable[[Outcome], Any]) -> None:
        if folder == self._folder:
            self._show(outcome)
            done(outcome)

    def _refuse(self, folder: Path, error: BaseException) -> None:
        if isinstance(error, FolderLockedError):
            error.remedy = LOCKED_REMEDY
        self.failed.emit(error)
        if folder == self._folder:
            self._start(_look, lambda outcome: None)

    def _show(self, outcome: Outcome) -> None:
        self.files, self.deletions = outcome.files, outcome.deletions
        self.changed.emit()


def _look(folder: Path, paths: tuple[str, ...] = ()) -> Outcome:
    try:
        deletions = read_deletions(folder)
    except (OSError, OutputError):
        return Outcome(paths, 0, 0)  # the folder itself tells of it when something is done there
    return Outcome(paths, sum(len(deletion.files) for deletion in deletions), len(deletions))


def _delete(folder: Path, paths: Sequence[str]) -> Outcome:
    with _open(folder) as dataset:
        dataset.trash.delete([Path(path) for path in paths])
    return _look(folder, tuple(paths))


def _restore_last(folder: Path) -> Outcome:
    with _open(folder) as dataset:
        deletions = dataset.trash.deletions
        back = dataset.trash.restore(deletions[-1].trash_id) if deletions else ()
    return _look(folder, tuple(map(str, back)))


def _empty(folder: Path) -> Outcome:
    with _open(folder) as dataset:
        dataset.trash.empty()
    return _look(folder)


def _open(folder: Path) -> SyntheticDataset:
    from dataset.synthetic_dataset import SyntheticDataset  # brings Pillow: not before the window is shown

    return SyntheticDataset.open(folder, create=False)
