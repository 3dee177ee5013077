"""Getting checkpoints in the window: `models download` as a process of its own, followed by its events."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PyQt5.QtCore import QObject, pyqtSignal

from core.errors import ISICGUIError
from core.events import Event
from core.jobs.client import JobClient
from download.request import (
    Downloading,
    DownloadRequest,
    Extracting,
    Fetching,
    Finished,
    Refused,
    Restarting,
    Retrying,
    Verifying,
)
from download.source import ORIGINALS, ORIGINALS_BYTES
from gui.common.settings import SettingsModel
from gui.workers.job import JobEnd, MakeClient, WorkerJob
from gui.workers.task import TaskRunner

TARGET_KEY: Final = "download/target"

GRACE_MS: Final = 5000
"""Time that a download gets to put its file down when the window has gone."""


class Stage(enum.Enum):
    """What is being done; IDLE if nothing is."""

    IDLE = "idle"
    BEGINNING = "beginning"
    DOWNLOADING = "downloading"
    WAITING = "waiting"
    """For the next attempt."""
    CHECKING = "checking"
    UNPACKING = "unpacking"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a download would find.

    Attributes
    ----------
    received
        Bytes that an earlier one has brought.
    expected
        Bytes of the whole archive, an estimate.
    free
        Bytes that are free where it would go; None if that cannot be known.
    """

    received: int
    expected: int
    free: int | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a download or an import has brought.

    Attributes
    ----------
    status
        As in `download.request`.
    refused
        Why a file was not taken, sentence by sentence.
    kept
        What stays of a download that was stopped, or of an archive that holds refused files.
    """

    status: str
    folder: Path
    files: tuple[str, ...]
    classes: tuple[str, ...]
    refused: tuple[str, ...]
    kept: Path | None


class ModelDownload(QObject):
    """One download or import at a time; it goes on whether or not anybody looks.

    Signals
    -------
    changed
        Look at everything.
    progressed
        Look at the numbers.
    arrived
        There are models; carries an `Arrival`.

    Attributes
    ----------
    received, total
        Bytes; in `Stage.UNPACKING` those of the files. `total` is 0 if it is not known.
    rate, remaining
        Bytes a second and seconds, or None.
    member
        The file that is being checked or unpacked.
    words
        What is to be said in between: why the download waits, why it begins anew.
    last, problem
        How the last one ended; at most one of them is set.
    make_client
        Makes the client of the next download; tests prepare its process with other jobs.
    """

    changed = pyqtSignal()
    progressed = pyqtSignal()
    arrived = pyqtSignal(object)

    def __init__(self, settings: SettingsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.make_client: MakeClient = JobClient
        self._files = TaskRunner(1, self)
        self._job: WorkerJob | None = None
        self._refused: list[str] = []
        self.outlook: Outlook | None = None
        self.last: Arrival | None = None
        self.problem: ISICGUIError | None = None
        self.stage = Stage.IDLE
        self.received = self.total = 0
        self.rate: float | None = None
        self.remaining: float | None = None
        self.member = self.words = ""

    @property
    def busy(self) -> bool:
        """Whether something is being fetched or imported."""
        return self._job is not None

    @property
    def target(self) -> Path:
        """Where the models go."""
        chosen = self._settings.recall(TARGET_KEY, "", str)
        return Path(chosen) if chosen else self._settings.paths.checkpoints_dir

    def choose_target(self, folder: Path) -> None:
        """Let the models go elsewhere from now on."""
        if not self.busy:
            self._settings.remember(TARGET_KEY, str(folder))
            self.look()

    def look(self) -> None:
        """Find out how much is there and how much room there is."""
        target = self.target
        self._files.start(lambda: _outlook(target), lambda found: self._show_outlook(target, found), _ignore)

    def fetch_originals(self) -> None:
        """Fetch the original checkpoints, or the rest of them."""
        self._start(DownloadRequest(self.target))

    def take(self, path: Path) -> None:
        """Import a zip archive or a folder."""
        self._start(DownloadRequest(self.target, file=path))

    def stop(self) -> None:
        """Stop; what has arrived is kept, and the next download goes on from there."""
        if self._job:
            self._begin_at(Stage.STOPPING)
            self._job.stop()
            self.changed.emit()

    def close(self) -> None:
        """Stop, and wait until what has arrived is safe; the window is gone by then."""
        self._files.close(2.0)
        if self._job:
            self._job.leave(GRACE_MS)

    def _start(self, request: DownloadRequest) -> None:
        if self._job:
            return
        self.last = self.problem = None
        self._refused.clear()
        self._begin_at(Stage.BEGINNING)
        self._job = WorkerJob(request, self, make_client=self.make_client)
        self._job.told.connect(self._follow)
        self._job.ended.connect(self._end)
        self._job.start()
        self.changed.emit()

    def _follow(self, event: Event) -> None:
        steps: Mapping[type[Event], Callable[[Any], None]] = {
            Fetching: self._fetching,
            Downloading: self._downloading,
            Retrying: self._interrupted,
            Restarting: self._interrupted,
            Verifying: self._verifying,
            Extracting: self._extracting,
            Refused: self._refuse,
            Finished: self._finished,
        }
        if type(event) in steps:
            steps[type(event)](event)

    def _fetching(self, event: Fetching) -> None:
        self.received, self.total = event.received, event.expected or 0
        self.progressed.emit()

    def _downloading(self, event: Downloading) -> None:
        self._enter(Stage.DOWNLOADING)
        self.received, self.total = event.received, event.total or 0
        self.rate, self.remaining = event.rate, event.remaining
        self.progressed.emit()

    def _interrupted(self, event: Retrying | Restarting) -> None:
        self._enter(Stage.WAITING)
        self.words = event.message
        self.rate = self.remaining = None
        self.changed.emit()

    def _verifying(self, event: Verifying) -> None:
        self._enter(Stage.CHECKING)
        self.member = event.member
        self.progressed.emit()

    def _extracting(self, event: Extracting) -> None:
        self._enter(Stage.UNPACKING)
        self.member = event.member
        self.received, self.total = event.done, event.total
        self.rate = self.remaining = None
        self.progressed.emit()

    def _refuse(self, event: Refused) -> None:
        self._refused.append(event.message)

    def _finished(self, event: Finished) -> None:
        self.last = Arrival(event.status, event.folder, event.files, event.classes, tuple(self._refused), event.kept)

    def _end(self, end: JobEnd) -> None:
        job, self._job = self._job, None
        if job:
            job.deleteLater()
        self.problem = None if self.last or end.cancelled else end.error
        self._begin_at(Stage.IDLE)
        self.look()
        self.changed.emit()
        if self.last and self.last.files and self.last.status != "stopped":
            self.arrived.emit(self.last)

    def _enter(self, stage: Stage) -> None:
        if self.stage is not stage and self.stage is not Stage.STOPPING:
            self.stage, self.words = stage, ""
            self.changed.emit()

    def _begin_at(self, stage: Stage) -> None:
        self.stage = stage
        self.received = self.total = 0
        self.rate = self.remaining = None
        self.member = self.words = ""

    def _show_outlook(self, target: Path, found: Outlook) -> None:
        if target == self.target:
            self.outlook = found
            self.changed.emit()


def _outlook(target: Path) -> Outlook:
    from download.partial import Partial
    from download.records import free_bytes

    partial = Partial(target, ORIGINALS)
    try:
        free = free_bytes(target)
    except OSError:
        free = None
    return Outlook(partial.received, partial.seen().total or ORIGINALS_BYTES, free)


def _ignore(error: BaseException) -> None:
    """Leave the outlook as it was: what is wrong with a folder is told when something is to be put into it."""
