"""What a session tells in passing, as notices: interrupted runs, classes that failed, a folder that is gone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject

from core.config.config_manager import FILE_NAME
from core.crash import Ending
from core.errors import OutputError
from core.message import Message
from gui.common.notices import Notice
from gui.common.problem import Problem
from gui.common.window_requests import WindowRequest
from gui.gallery.collection import missing_folder
from gui.i18n import mark, tr
from gui.run.queue_store import QueuedRun
from gui.run.request import describe_request
from gui.run.run import RunState
from gui.workers.unfinished import Unfinished

if TYPE_CHECKING:
    from gui.shell.session import Session

UNFINISHED = "unfinished"
FAILED_CLASSES = "failed classes"
FOLDER = "output folder"
SETTINGS = "settings"
ENDING = "ending"
SAFE = "safe mode"


class SessionNotices(QObject):
    """Listens to a session and posts notices."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._notices = session.notices
        self._failures: dict[str, Problem] = {}
        session.unfinished.connect(self._offer_resume)
        session.run.state_changed.connect(self._forget_failures)
        session.class_failed.connect(self._tell_class_failed)
        session.collection.folder_missing.connect(self._tell_folder)
        session.queue.run_failed.connect(self._tell_queued_run)
        if session.settings.is_safe:
            self._tell_of_safe_mode()

    def tell_of_settings(self, notices: list[str]) -> None:
        """Tell what happened when the settings were read: taken over, set aside, replaced."""
        if notices:
            words = notices[0]
            for further in notices[1:]:
                words = Message("{first}\n{second}", first=words, second=further)
            self._notices.post(Notice(SETTINGS, words, mark("Settings…"), partial(self._wish, WindowRequest.SETTINGS)))

    def tell_of_ending(self, ending: Ending | None) -> None:
        """Tell how the session before ended, if it did not end by itself, and offer the report."""
        if ending is None:
            return
        self._session.last_crash = ending.report
        if ending.crashed:
            words = Message("The program ended unexpectedly last time. Every finished image is kept.")
        else:
            words = Message(
                "The program was not closed properly last time: it was ended from outside, or the computer went off. "
                "Every finished image is kept."
            )
        show = partial(self._wish, WindowRequest.CRASH_REPORT)
        self._notices.post(Notice(ENDING, words, mark("Show the report…"), show, "warning"))

    def _tell_of_safe_mode(self) -> None:
        words = Message(
            "Safe mode: default settings and layout, starter models, no GPU, explanations off. "
            "What you change here is not kept."
        )
        self._notices.post(Notice(SAFE, words, mark("Reset settings to defaults"), self._reset_saved))

    def _reset_saved(self) -> None:
        try:
            self._session.settings.reset_saved()
        except OutputError as error:
            self._session.report(error)
            return
        words = Message(
            "The settings are back at their defaults; the earlier ones are saved next to them as "
            "{name}. Start the program again without safe mode.",
            name=f"{FILE_NAME}.bak",
        )
        self._notices.post(Notice(SAFE, words))

    def _offer_resume(self, runs: list[Unfinished]) -> None:
        if not runs:
            self._notices.withdraw(UNFINISHED)
            return
        words = Message(
            "%n interrupted run(s) in this folder: {done} of {total} images are finished.",
            n=len(runs),
            done=sum(run.done for run in runs),
            total=sum(run.total for run in runs),
        )
        self._notices.post(Notice(UNFINISHED, words, mark("Resume"), self._session.resume))

    def _forget_failures(self) -> None:
        if self._session.run.state is RunState.STARTING:
            self._notices.withdraw(FAILED_CLASSES)
            self._failures.clear()

    def _tell_class_failed(self, problem: Problem) -> None:
        self._failures[problem.title] = problem
        words = Message("Not generated: {codes}", codes=", ".join(self._failures))
        self._notices.post(Notice(FAILED_CLASSES, words, mark("Why?"), self._tell_why, "warning"))

    def _tell_why(self) -> None:
        problems = self._failures.values()
        kinds = {problem.kind for problem in problems}
        self._session.problem.emit(
            Problem(
                tr("Some images could not be generated"),
                "\n".join(f"{code}: {problem.message}" for code, problem in self._failures.items()),
                "\n".join(dict.fromkeys(problem.remedy for problem in problems)),
                kind=kinds.pop() if len(kinds) == 1 else "error",
                run=self._session.failed_run(),
            )
        )

    def _tell_folder(self, is_missing: bool) -> None:
        """Tell of an output folder that is not there, until it is."""
        if not is_missing:
            self._notices.withdraw(FOLDER)
            return
        error = missing_folder(self._session.settings.output)
        words = Message("{message} {remedy}", message=error.message, remedy=error.remedy)
        choose = partial(self._wish, WindowRequest.OUTPUT_FOLDER)
        self._notices.post(Notice(FOLDER, words, mark("Choose a folder…"), choose, "warning"))

    def _tell_queued_run(self, run: QueuedRun) -> None:
        words = Message("A run of the queue has failed: {run}", run=describe_request(run.request))
        why = Problem(tr("A run of the queue has failed"), run.note, describe_request(run.request))
        tell = partial(self._session.problem.emit, why)
        self._notices.post(Notice(f"queue {run.key}", words, mark("Why?"), tell, "warning"))

    def _wish(self, wish: WindowRequest) -> None:
        self._session.wish.emit(wish)
