"""Analyses of trajectories: a list that is worked through one by one, each in a process of its own."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from core.errors import ISICGUIError
from core.events import Event, Failed, Progress
from core.jobs.client import JobClient
from core.utils.shell import shell_line
from gui.common.settings import SettingsModel
from gui.explain.analysis_store import Analysis, AnalysisState, AnalysisStore
from gui.workers.job import KILLED, JobEnd, MakeClient, WorkerJob
from gui.workers.task import TaskRunner
from xai.trajectory.request import AnalysisFinished, AnalysisStarted, TrajectoryRequest

OVER: Final = (AnalysisState.DONE, AnalysisState.FAILED)
ACTIVE: Final = (AnalysisState.RUNNING, AnalysisState.STOPPING)

_log = logging.getLogger(__name__)


class AnalysesModel(QObject):
    """Works through analyses, one at a time.

    What ran or waited when the program ended is there again at its next start, as not finished, and goes on when
    somebody says so: the command that began an analysis also continues it.

    Parameters
    ----------
    make_client
        Makes the client of the next analysis; tests prepare its process with other jobs.

    Signals
    -------
    listed
        An analysis was added or taken out.
    changed
        An analysis stands otherwise; carries its key.
    finished
        An analysis is done; carries the `Analysis`.
    failed
        The list could not be saved, or an analysis has failed; carries the exception.
    """

    listed = pyqtSignal()
    changed = pyqtSignal(str)
    finished = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(
        self,
        store: AnalysisStore,
        settings: SettingsModel,
        parent: QObject | None = None,
        *,
        make_client: MakeClient = JobClient,
    ) -> None:
        super().__init__(parent)
        self._store, self._settings, self.make_client = store, settings, make_client
        self._files = TaskRunner(1, self)
        self._job: WorkerJob | None = None
        self._began = 0.0
        self._has_report = False
        self._refusals: list[str] = []
        self._current = ""
        self._closing: Callable[[], object] | None = None
        self._told = False
        loaded = store.load()
        self.notice = loaded.notice
        self._analyses = [_after_a_restart(analysis) for analysis in loaded.runs]

    @property
    def analyses(self) -> Sequence[Analysis]:
        """All analyses, in order."""
        return tuple(self._analyses)

    @property
    def busy(self) -> bool:
        """Whether a process is at work."""
        return self._job is not None

    def get(self, key: str) -> Analysis | None:
        """Return an analysis by its key."""
        return next((analysis for analysis in self._analyses if analysis.key == key), None)

    def add(self, request: TrajectoryRequest) -> None:
        """Put an analysis at the end; it begins when those before it are over."""
        self._analyses.append(Analysis(request))
        self._keep()
        self.listed.emit()
        self._next()

    def stop(self, key: str) -> None:
        """Stop an analysis and keep what is finished; one that has not begun does not begin."""
        analysis = self.get(key)
        if analysis is None:
            return
        if analysis.state is AnalysisState.RUNNING and self._job:
            self._change(key, state=AnalysisState.STOPPING)
            self._job.stop()
        elif analysis.state is AnalysisState.WAITING:
            self._change(key, state=AnalysisState.INTERRUPTED)

    def go_on(self, key: str) -> None:
        """Let an analysis that is not finished, or has failed, wait for its turn again."""
        analysis = self.get(key)
        if analysis and analysis.state in (AnalysisState.INTERRUPTED, AnalysisState.FAILED):
            self._change(key, state=AnalysisState.WAITING, note="")
            self._next()

    def remove(self, key: str) -> None:
        """Take an analysis out of the list; its files stay."""
        analysis = self.get(key)
        if analysis and analysis.state not in ACTIVE:
            self._analyses.remove(analysis)
            self._keep()
            self.listed.emit()

    def expected_seconds(self, request: TrajectoryRequest) -> float | None:
        """Return how long an analysis will take by what the last one of its kind took here; None if there was none."""
        each = self._settings.recall(_pace_key(request), 0.0, float)
        return each * request.images if each else None

    def leave(self, then: Callable[[], object], grace_ms: int = 5000) -> None:
        """Stop what runs, and call `then` when it has ended; after `grace_ms` it is ended by force."""
        self._closing = then
        if self._job:
            self._job.stop(grace_ms)

    def close(self) -> None:
        """Save and leave the file to the next window; nothing may be running."""
        self._files.close(2.0)
        try:
            self._store.save(self.analyses)
        except ISICGUIError as error:
            _log.error("%s", error)
        self._store.close()

    def _next(self) -> None:
        if self._job or self._closing:
            return
        waiting = next((a for a in self._analyses if a.state is AnalysisState.WAITING), None)
        if waiting is None:
            return
        self._began = time.monotonic()
        self._has_report, self._refusals = False, []
        self._job = WorkerJob(waiting.request, self, make_client=self.make_client)
        self._job.told.connect(self._hear)
        self._job.ended.connect(self._ended)
        self._current = waiting.key
        self._change(waiting.key, state=AnalysisState.RUNNING, fraction=0.0, stage="", note="")
        _log.info("Analysis begun: %s", shell_line(waiting.request.arguments()))
        self._job.start()

    def _hear(self, event: Event) -> None:
        if isinstance(event, AnalysisStarted):
            self._change(self._current, folder=event.output)
        elif isinstance(event, Progress):
            far = {"fraction": event.fraction, "stage": event.words, "done": event.done, "total": event.total}
            self._change(self._current, **far)
        elif isinstance(event, Failed):
            self._refusals.append(f"{event.class_code}: {event.message}")
        elif isinstance(event, AnalysisFinished):
            self._has_report = True
            self._change(self._current, folder=event.output, note=" ".join([event.verdict, *self._refusals]))

    def _ended(self, end: JobEnd) -> None:
        job, self._job = self._job, None
        if job:
            job.deleteLater()
        if self._has_report:  # some classes may have had no model: the note says so
            self._done()
        elif end.cancelled or end.error is None or end.exit_code == KILLED:
            self._change(self._current, state=AnalysisState.INTERRUPTED, stage="")
        else:
            self._fail(end.error)
        if self._closing:
            then, self._closing = self._closing, None
            QTimer.singleShot(0, then)
        else:
            QTimer.singleShot(0, self._next)

    def _done(self) -> None:
        self._change(self._current, state=AnalysisState.DONE, fraction=1.0, stage="")
        analysis = self.get(self._current)
        if analysis:
            seconds = (time.monotonic() - self._began) / analysis.request.images
            self._settings.remember(_pace_key(analysis.request), seconds)
            _log.info("Analysis finished: %s", analysis.folder)
            self.finished.emit(analysis)

    def _fail(self, error: ISICGUIError) -> None:
        _log.error("Analysis failed: %s", error)
        self._change(self._current, state=AnalysisState.FAILED, stage="", note=str(error))
        self.failed.emit(error)

    def _change(self, key: str, **values: Any) -> None:
        row = next((row for row, analysis in enumerate(self._analyses) if analysis.key == key), None)
        if row is None:
            return
        self._analyses[row] = dataclasses.replace(self._analyses[row], **values)
        if "state" in values or "folder" in values:
            self._keep()
        self.changed.emit(key)

    def _keep(self) -> None:
        """Save on a thread; of several savings that wait only the last is worth doing."""
        analyses = self.analyses
        self._files.forget_waiting()
        self._files.start(lambda: self._store.save(analyses), lambda _: None, self._not_saved)

    def _not_saved(self, error: BaseException) -> None:
        if not self._told:
            self._told = True
            self.failed.emit(error)


def _after_a_restart(analysis: Analysis) -> Analysis:
    """Return an analysis as it is found at the start: what ran or waited is not finished."""
    if analysis.state in OVER:
        return analysis
    return dataclasses.replace(analysis, state=AnalysisState.INTERRUPTED)


def _pace_key(request: TrajectoryRequest) -> str:
    return f"analysis/seconds/{'quick' if request.quick else 'full'}"
