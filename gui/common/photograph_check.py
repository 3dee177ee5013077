"""What a chosen folder or table of photographs holds: its labels at once, its pictures one after another beside."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from core.errors import ISICGUIError
from core.events import Event
from core.jobs.client import JobClient
from gui.workers.job import JobEnd, MakeClient, WorkerJob
from gui.workers.task import TaskRunner

if TYPE_CHECKING:
    from dataset.data_check import DataChecked
    from dataset.overview import Overview

TELL_MS: Final = 150


class PhotographCheck(QObject):
    """Looks at one folder or table at a time; another choice ends the look at the one before.

    Parameters
    ----------
    needs_labels
        Whether photographs that nothing labels are of no use.

    Signals
    -------
    changed
        Look at everything.
    progressed
        Look at `done` and `total`.
    failed
        Something that nobody expected; carries the exception.

    Attributes
    ----------
    path
        What is looked at; None if nothing was chosen.
    looking
        Whether its labels are being read.
    overview
        What its labels say; None until they have been read, and where there are none.
    is_unlabelled
        Whether it holds photographs that nothing labels.
    checked
        What opening every picture has shown; None until that is done.
    done, total
        Pictures that were opened, of how many.
    problem
        Why it cannot be used.
    make_client
        Makes the client of the next check; tests prepare its process with other jobs.
    """

    changed = pyqtSignal()
    progressed = pyqtSignal()
    failed = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None, *, needs_labels: bool = True) -> None:
        super().__init__(parent)
        self.make_client: MakeClient = JobClient
        self._needs_labels = needs_labels
        self._tasks = TaskRunner(1, self)
        self._job: WorkerJob | None = None
        self._opens = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.progressed)
        self.path: Path | None = None
        self._forget()

    @property
    def is_opening(self) -> bool:
        """Whether the pictures are being opened."""
        return self._job is not None

    @property
    def can_open(self) -> bool:
        """Whether there are pictures that nobody has opened yet."""
        is_known = self.overview is not None or self.is_unlabelled
        return is_known and self.checked is None and not self.is_opening

    def look(self, path: Path | None, *, opens: bool) -> None:
        """Look at a folder or a table, or at nothing.

        Parameters
        ----------
        opens
            Whether every picture is opened, too: it has just been chosen. Else that waits until it is asked for.
        """
        self.stop()
        self._tasks.forget_waiting()
        self._forget()
        self.path, self._opens = path, opens
        if path is not None:
            self.looking = True
            read = partial(_read, path, self._needs_labels)
            self._tasks.start(read, partial(self._take, path), partial(self._refuse, path))
        self.changed.emit()

    def open_all(self) -> None:
        """Open every picture, in a process of its own."""
        if self.path is None or not self.can_open:
            return
        from dataset.data_check import DataCheckRequest

        self.done = self.total = 0
        self._job = job = WorkerJob(DataCheckRequest(self.path), self, make_client=self.make_client)
        job.told.connect(self._hear)
        job.ended.connect(partial(self._end, job))
        job.start()
        self.changed.emit()

    def stop(self) -> None:
        """Open no further picture; what the labels say stays."""
        job, self._job = self._job, None
        if job:
            job.stop()
            self.changed.emit()

    def close(self) -> None:
        """Leave, for the end of the program."""
        self._timer.stop()
        for job in self.findChildren(WorkerJob):
            job.leave(0)
        self._tasks.close(0.5)

    def _forget(self) -> None:
        self.looking = self.is_unlabelled = False
        self.overview: Overview | None = None
        self.checked: DataChecked | None = None
        self._answer: DataChecked | None = None
        self.problem: ISICGUIError | None = None
        self.done = self.total = 0

    def _take(self, path: Path, found: Overview | None) -> None:
        if path != self.path:
            return
        self.looking, self.overview, self.is_unlabelled = False, found, found is None
        self.changed.emit()
        if self._opens:
            self.open_all()

    def _refuse(self, path: Path, error: BaseException) -> None:
        if path != self.path:
            return
        self.looking = False
        if isinstance(error, ISICGUIError):
            self.problem = error
        else:
            self.failed.emit(error)
        self.changed.emit()

    def _hear(self, event: Event) -> None:
        from dataset.data_check import DataChecked

        if self.sender() is not self._job:
            return
        if isinstance(event, DataChecked):
            self._answer = event
        elif event.progress and event.progress.unit == "images":
            self.done, self.total = event.progress.done, event.progress.total
            if not self._timer.isActive():
                self._timer.start(TELL_MS)

    def _end(self, job: WorkerJob, end: JobEnd) -> None:
        job.deleteLater()
        if job is not self._job:
            return
        self._job = None
        self.checked = self._answer
        self.problem = None if end.cancelled else end.error
        self.changed.emit()


def _read(path: Path, needs_labels: bool) -> Overview | None:
    """Return what the labels say, or None for photographs that nothing labels and that are of use all the same."""
    from dataset.overview import overview
    from photographs.files import find_photographs
    from photographs.label_forms import UnknownFormError

    try:
        return overview(path)
    except UnknownFormError:
        if needs_labels or not find_photographs(path).files:
            raise
        return None
