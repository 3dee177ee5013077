"""A small job on a few threads whose result comes back to the GUI thread."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from PyQt5 import sip
from PyQt5.QtCore import QObject, pyqtSignal


class Outcome(QObject):
    """How a task ended; lives in the thread that started the task, so that its slots run there."""

    done = pyqtSignal(object)
    failed = pyqtSignal(object)


class TaskRunner(QObject):
    """Runs tasks on threads of its own and keeps what belongs to them alive until they have ended.

    The threads are Python's: a QThreadPool that is destroyed while a task ends waits for it with the interpreter's
    lock in its hands, and so for ever.

    Parameters
    ----------
    threads
        How many tasks run at once.
    """

    def __init__(self, threads: int = 2, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="task")
        self._running: dict[Outcome, Future[None]] = {}
        self._closed = False

    @property
    def is_idle(self) -> bool:
        """Whether every task has ended and its result has been delivered."""
        return not self._running

    def start(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Run `work` on a thread, then call `done` with its result or `failed` with its error in this thread.

        After `close` nothing is started and nothing delivered any more.
        """
        if self._closed:
            return
        outcome = Outcome(self)
        outcome.done.connect(lambda value: self._deliver(outcome, done, value))
        outcome.failed.connect(lambda error: self._deliver(outcome, failed, error))
        self._running[outcome] = self._pool.submit(_carry_out, work, outcome)

    def forget_waiting(self) -> None:
        """Drop the tasks that have not started; neither of their functions is called."""
        for outcome, future in list(self._running.items()):
            if future.cancel():
                self._forget(outcome)

    def close(self, seconds: float) -> None:
        """Take no further tasks and wait a while for those that run; what has not started is dropped."""
        self._closed = True
        self.forget_waiting()
        self._pool.shutdown(wait=False, cancel_futures=True)
        concurrent.futures.wait(list(self._running.values()), timeout=seconds)

    def _deliver(self, outcome: Outcome, slot: Callable[[Any], None], value: object) -> None:
        if sip.isdeleted(outcome):  # the result waited in the event loop while the runner went
            return
        self._forget(outcome)
        if not self._closed:
            slot(value)

    def _forget(self, outcome: Outcome) -> None:
        del self._running[outcome]
        outcome.deleteLater()


def _carry_out(work: Callable[[], Any], outcome: Outcome) -> None:
    try:
        result = work()
    except Exception as error:  # noqa: BLE001 - the boundary of the thread: the error becomes a signal
        if not sip.isdeleted(outcome):
            outcome.failed.emit(error)
    else:
        if not sip.isdeleted(outcome):
            outcome.done.emit(result)
