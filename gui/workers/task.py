"""A small job on a thread pool whose result comes back to the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt5 import sip
from PyQt5.QtCore import QObject, QRunnable, QThreadPool, pyqtSignal


class Outcome(QObject):
    """How a task ended; lives in the thread that started the task, so that its slots run there."""

    done = pyqtSignal(object)
    failed = pyqtSignal(object)


class _Job(QRunnable):
    def __init__(self, work: Callable[[], Any], outcome: Outcome) -> None:
        super().__init__()
        self._work = work
        self._outcome = outcome

    def run(self) -> None:
        try:
            result = self._work()
        except Exception as error:  # noqa: BLE001 - the boundary of the thread: the error becomes a signal
            self._tell("failed", error)
        else:
            self._tell("done", result)

    def _tell(self, signal: str, value: object) -> None:
        if not sip.isdeleted(self._outcome):
            getattr(self._outcome, signal).emit(value)


class TaskRunner(QObject):
    """Runs tasks on its own pool and keeps what belongs to them alive until they have ended.

    Parameters
    ----------
    threads
        How many tasks run at once.
    """

    def __init__(self, threads: int = 2, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(threads)
        self._running: set[Outcome] = set()

    def start(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[BaseException], None],
        *,
        priority: int = 0,
    ) -> None:
        """Run `work` on the pool, then call `done` with its result or `failed` with its error in this thread."""
        outcome = Outcome(self)
        self._running.add(outcome)
        outcome.done.connect(lambda value: self._deliver(outcome, done, value))
        outcome.failed.connect(lambda error: self._deliver(outcome, failed, error))
        self._pool.start(_Job(work, outcome), priority)

    def wait(self, milliseconds: int = -1) -> bool:
        """Wait until nothing runs any more; for the end of the program and for tests."""
        return self._pool.waitForDone(milliseconds)

    def forget_waiting(self) -> None:
        """Drop the tasks that have not started."""
        self._pool.clear()

    def _deliver(self, outcome: Outcome, slot: Callable[[Any], None], value: object) -> None:
        self._running.discard(outcome)
        outcome.deleteLater()
        slot(value)
