"""The queue: runs that wait, are made one after another, and are still there at the next start."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from PyQt5.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, QTimer, pyqtSignal

from core.errors import ISICGUIError
from core.events import Failed, Finished, Started
from core.generation import GenerationRequest
from gui.i18n import tr, translate
from gui.run.queue_store import QueuedRun, QueueState, QueueStore
from gui.run.request import describe_request
from gui.run.run import RunModel, summary
from gui.workers.task import TaskRunner

_log = logging.getLogger(__name__)
_NOWHERE: Final = QModelIndex()

TO_DO: Final = (QueueState.WAITING, QueueState.INTERRUPTED)
OVER: Final = (QueueState.DONE, QueueState.FAILED, QueueState.DISCARDED)

FOLDER_GONE: Final = ("output", "disk_full")
"""Errors after which the next run would meet the same fate: the folder has vanished, or its drive is full."""

StateRole: Final = int(Qt.ItemDataRole.UserRole)


class QueueModel(QAbstractListModel):
    """Runs in the order in which they are made.

    Parameters
    ----------
    launch
        Carries out a queued run, with everything the window does around a run.

    Signals
    -------
    changed
        A run was added, moved, removed or has another state; or `active` has changed.
    run_failed
        A queued run has failed and the queue has dealt with it; carries the `QueuedRun`.
    failed
        The queue could not be saved; carries the exception. Told once.

    Attributes
    ----------
    active
        Whether the next run is begun when nothing runs. Never so at the start of the program.
    """

    changed = pyqtSignal()
    run_failed = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(
        self,
        store: QueueStore,
        run: RunModel,
        launch: Callable[[QueuedRun], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store, self._run, self._launch = store, run, launch
        self._files = TaskRunner(1, self)
        self._current = ""
        self._refusals: list[str] = []
        self._told = False
        self.active = False
        loaded = store.load()
        self.notice = loaded.notice
        if loaded.notice:
            _log.warning("%s", loaded.notice)
        self._runs = [_after_a_restart(run) for run in loaded.runs]
        run.began.connect(self._began)
        run.class_failed.connect(self._class_failed)
        run.finished.connect(self._finished)
        run.failed.connect(self._failed)

    @property
    def runs(self) -> Sequence[QueuedRun]:
        """All runs, in order."""
        return tuple(self._runs)

    @property
    def is_kept(self) -> bool:
        """Whether this window's queue will be there at the next start."""
        return self._store.is_kept

    @property
    def problem(self) -> str:
        """Why no window can keep it: its folder cannot be written; "" otherwise."""
        return self._store.problem

    @property
    def waiting(self) -> int:
        """How many runs are still to be made."""
        return sum(run.state in TO_DO for run in self._runs)

    @property
    def owns_the_run(self) -> bool:
        """Whether what runs now comes from the queue."""
        return bool(self._current)

    def add(self, request: GenerationRequest) -> None:
        """Put a run at the end."""
        row = len(self._runs)
        self.beginInsertRows(_NOWHERE, row, row)
        self._runs.append(QueuedRun(request))
        self.endInsertRows()
        self._keep()
        self._next()

    def move(self, row: int, by: int) -> int:
        """Move a run up (-1) or down (1); return the row it is in then."""
        to = row + by
        if not (0 <= row < len(self._runs) and 0 <= to < len(self._runs)):
            return row
        self.beginMoveRows(_NOWHERE, row, row, _NOWHERE, to + (by > 0))
        self._runs.insert(to, self._runs.pop(row))
        self.endMoveRows()
        self._keep()
        return to

    def remove(self, row: int) -> None:
        """Take a run out; one that is being made has to be stopped first."""
        if 0 <= row < len(self._runs) and self._runs[row].state is not QueueState.RUNNING:
            self.beginRemoveRows(_NOWHERE, row, row)
            del self._runs[row]
            self.endRemoveRows()
            self._keep()

    def remove_finished(self) -> None:
        """Take out every run that is over."""
        for row in reversed(range(len(self._runs))):
            if self._runs[row].state in OVER:
                self.remove(row)

    def try_again(self, row: int) -> None:
        """Let a run that has failed wait again; what it has made is kept."""
        run = self._runs[row]
        if run.state is QueueState.FAILED:
            state = QueueState.INTERRUPTED if run.run_id else QueueState.WAITING
            self._change(run.key, state=state, note="")
            self._next()

    def start(self) -> None:
        """Make what waits, one run after another, beginning when nothing else runs."""
        if self.waiting:
            self.active = True
            self.changed.emit()
            self._next()

    def hold(self) -> None:
        """Begin no further run; the one being made goes on."""
        if self.active:
            self.active = False
            self.changed.emit()

    def close(self) -> None:
        """Save and leave the file to the next window."""
        self.active = False
        self._files.close(2.0)
        self._save_now()
        self._store.close()

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        """Return the number of runs."""
        return 0 if parent.isValid() else len(self._runs)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a view wants to know of a run."""
        if not index.isValid():
            return None
        run = self._runs[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{describe_request(run.request)} · {run.request.output.name}"
        if role == StateRole:
            return run.state
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return _details(run)
        return None

    def _next(self) -> None:
        if not self.active or self._run.busy:
            return
        run = next((run for run in self._runs if run.state in TO_DO), None)
        if run is None:
            self.hold()
            return
        self._current = run.key
        self._refusals = []
        self._change(run.key, state=QueueState.RUNNING, note="")
        self._launch(run)

    def _began(self, event: Started) -> None:
        if self._current:
            self._change(self._current, run_id=event.run_id)

    def _class_failed(self, event: Failed) -> None:
        self._refusals.append(f"{event.class_code}: {translate(event.message)}")

    def _finished(self, event: Finished) -> None:
        if event.status in ("stopped", "discarded"):
            self.hold()  # whoever stops a run does not want the next one to begin
        states = {
            "completed": QueueState.DONE,
            "stopped": QueueState.INTERRUPTED,
            "discarded": QueueState.DISCARDED,
            "failed": QueueState.FAILED,
        }
        self._end(
            self._unbegun() if event.status == "stopped" and not event.run_id else states[event.status],
            " ".join([summary(event), *self._refusals]),
        )

    def _unbegun(self) -> QueueState:
        """Return how a run stands that was stopped before it began this time: its folder may know it from before."""
        run = self._run_of(self._current) if self._current else None
        return QueueState.INTERRUPTED if run and run.run_id else QueueState.WAITING

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, ISICGUIError) and error.kind in FOLDER_GONE:
            self.hold()
        self._end(QueueState.FAILED, str(error) or type(error).__name__)

    def _end(self, state: QueueState, note: str) -> None:
        key, self._current = self._current, ""
        if key:
            self._change(key, state=state, note=note)
            if state is QueueState.FAILED:
                self.run_failed.emit(self._run_of(key))
        QTimer.singleShot(0, self._next)  # let everybody hear of the end before the next one begins

    def _run_of(self, key: str) -> QueuedRun:
        return next(run for run in self._runs if run.key == key)

    def _change(self, key: str, **values: Any) -> None:
        row = next(row for row, run in enumerate(self._runs) if run.key == key)
        self._runs[row] = dataclasses.replace(self._runs[row], **values)
        index = self.index(row)
        self.dataChanged.emit(index, index)
        self._keep()

    def _keep(self) -> None:
        """Save on a thread; of several savings that wait only the last is worth doing."""
        runs = self.runs
        self._files.forget_waiting()
        self._files.start(lambda: self._store.save(runs), lambda _: None, self._not_saved)
        self.changed.emit()

    def _save_now(self) -> None:
        try:
            self._store.save(self.runs)
        except ISICGUIError as error:
            _log.error("%s", error)

    def _not_saved(self, error: BaseException) -> None:
        if not self._told:
            self._told = True
            self.failed.emit(error)


def _after_a_restart(run: QueuedRun) -> QueuedRun:
    """Return a run as it is found at the start: one that was being made was interrupted."""
    if run.state is not QueueState.RUNNING:
        return run
    state = QueueState.INTERRUPTED if run.run_id else QueueState.WAITING
    return dataclasses.replace(run, state=state)


def _details(run: QueuedRun) -> str:
    words = {
        QueueState.WAITING: tr("Waiting"),
        QueueState.RUNNING: tr("Running"),
        QueueState.INTERRUPTED: tr("Not finished; the missing images will be generated"),
        QueueState.DONE: tr("Done"),
        QueueState.FAILED: tr("Failed"),
        QueueState.DISCARDED: tr("Stopped, its images deleted"),
    }
    request = run.request
    lines = [words[run.state], describe_request(request), str(request.output), str(request.models), run.note]
    return "\n".join(line for line in lines if line)
