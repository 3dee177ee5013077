"""Training in the window: what is chosen, the photographs, the process that trains, and the runs there are."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from core.errors import ISICGUIError
from core.events import Event
from core.jobs.client import JobClient, WorkerDiedError
from core.message import Message
from core.taxonomy import CLASS_CODES
from core.utils.shell import shell_line
from gui.common.photograph_check import PhotographCheck
from gui.common.settings import SettingsModel
from gui.train.run_list import RunEntry, RunLog, list_damaged, list_entries, read_log
from gui.train.training_choice import PRESETS, Kind, TrainingChoice, TrainingRequest, resumed
from gui.train.training_view import STARTED, TrainingView
from gui.workers.job import JobEnd, MakeClient, WorkerJob
from gui.workers.task import TaskRunner

if TYPE_CHECKING:
    from dataset.overview import Overview

TELL_MS: Final = 150
RUNS: Final = "runs"
MODEL_SETTINGS: Final = {"diffusion": "paths.models", "classifier": "paths.classifier"}


class TrainingState(enum.Enum):
    """What the process does."""

    IDLE = "idle"
    STARTING = "starting"
    """It loads its libraries and the photographs."""
    RUNNING = "running"
    STOPPING = "stopping"


class TrainingModel(QObject):
    """One training at a time, in a process of its own.

    Signals
    -------
    changed
        Look at everything: choices, photographs, state, problem.
    progressed
        Look at `view`; comes a few times a second at most.
    listed
        Look at `runs` and `damaged`.
    ended
        A training has ended; carries the words that say how.
    failed
        Something that nobody expected; carries the exception.

    Attributes
    ----------
    check
        The look at the chosen photographs.
    problem
        Why the last thing asked for did not work, if it did not.
    view
        What is seen: the training that goes on, or the one that was looked up.
    damaged
        Folders that look like runs and cannot be read as such, each with what is wrong.
    looked_up
        Folder of the run that was looked up; None while the view follows the training.
    make_client
        Makes the client of the next training; tests prepare its process with other jobs.
    """

    changed = pyqtSignal()
    progressed = pyqtSignal()
    listed = pyqtSignal()
    ended = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(self, settings: SettingsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.make_client: MakeClient = JobClient
        self._tasks = TaskRunner(1, self)
        self.check = PhotographCheck(self)
        self.check.changed.connect(self.changed)
        self.check.failed.connect(self.failed)
        self._job: WorkerJob | None = None
        self._live = TrainingView()
        self._over: set[Path] = set()
        self._then: Callable[[], object] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.progressed)
        self.choice = self._recall()
        self.state = TrainingState.IDLE
        self.problem: ISICGUIError | None = None
        self.view = self._live
        self.looked_up: Path | None = None
        self.run: Path | None = None
        self.runs: list[RunEntry] = []
        self.damaged: dict[Path, Message] = {}

    @property
    def busy(self) -> bool:
        """Whether a training goes on."""
        return self.state is not TrainingState.IDLE

    @property
    def photographs(self) -> Overview | None:
        """What is known of the chosen photographs; None until they have been looked at."""
        return self.check.overview

    @property
    def can_train(self) -> bool:
        """Whether photographs were found and nothing goes on."""
        return not self.busy and self.photographs is not None and not self.photographs.leaks

    @property
    def command(self) -> str:
        """The command line that begins the same training."""
        return shell_line(self._asked().job(self.choice.new_run(datetime.now())).arguments())

    def open(self) -> None:
        """Look at the photographs and the runs."""
        self.look_at_runs()
        if self.choice.data and self.photographs is None and not self.check.looking:
            self.check.look(self.choice.data, opens=False)

    def choose(self, **changes: Any) -> None:
        """Change the choice by the names of `TrainingChoice`."""
        before = self.choice
        kind = cast(Kind, changes.get("kind", before.kind))
        if changes.get("preset", before.preset) not in PRESETS[kind]:
            changes["preset"] = next(iter(PRESETS[kind]))
        self.choice = dataclasses.replace(before, **changes)
        self._remember()
        if self.choice.data != before.data and self.choice.data:
            self.problem = None
            self.check.look(self.choice.data, opens=not self.busy)
        if self.choice.root != before.root:
            self.look_at_runs()
        self.changed.emit()

    def start(self) -> None:
        """Begin a training with the chosen photographs."""
        if self.can_train:
            run = self.choice.new_run(datetime.now())
            self._begin(self._asked().job(run), run)

    def resume(self, entry: RunEntry) -> None:
        """Go on with a run that was interrupted."""
        if not self.busy and entry.can_resume:
            self._begin(resumed(entry.run.kind, entry.run.folder, Path(entry.data)), entry.run.folder)

    def stop(self) -> None:
        """Ask the training to keep what it has and end."""
        if self._job and self.state is not TrainingState.STOPPING:
            self.state = TrainingState.STOPPING
            self._job.stop()
            self.changed.emit()

    def use(self, entry: RunEntry) -> None:
        """Let the window work with the model of a run."""
        if entry.model is None:
            return
        if entry.run.kind == "diffusion":
            self._settings.choose_folder(MODEL_SETTINGS["diffusion"], entry.model)
        else:
            self._settings.set(MODEL_SETTINGS["classifier"], str(entry.model))

    def is_used(self, entry: RunEntry) -> bool:
        """Whether the window works with the model of a run."""
        used = self._settings.models if entry.run.kind == "diffusion" else self._settings.classifier
        return entry.model is not None and used == entry.model

    def look_up(self, entry: RunEntry) -> None:
        """Show the curves of a run; those of the training that goes on, if it is that one."""
        if entry.run.folder == self.run and self.busy:
            self.follow()
            return
        folder = entry.run.folder
        self._tasks.start(lambda: read_log(folder), self._show_log, self.failed.emit)

    def follow(self) -> None:
        """Show the training that goes on, or went on last."""
        self.view, self.looked_up = self._live, None
        self.progressed.emit()

    def look_at_runs(self) -> None:
        """List the runs anew."""
        root, over = self.choice.root, frozenset(self._over)
        self._tasks.start(lambda: (list_entries(root, over), list_damaged(root)), self._show_runs, self._refuse)

    @property
    def leaving(self) -> bool:
        """Whether somebody waits for the training to have stopped."""
        return self._then is not None

    def leave(self, then: Callable[[], object]) -> None:
        """Stop the training, and do something once it has kept what it has."""
        self._then = then
        self.stop()

    def close(self) -> None:
        """Begin nothing more, for the end of the program."""
        self._timer.stop()
        self.check.close()

    def _asked(self) -> TrainingChoice:
        """Return the choice with what is known of its photographs."""
        found = self.photographs
        if found is None:
            return self.choice
        classes = tuple(found.images) if len(found.images) < len(CLASS_CODES) else ()
        return dataclasses.replace(self.choice, has_masks=found.masks, classes=classes)

    def _begin(self, request: TrainingRequest, run: Path) -> None:
        self._live, self.problem, self.run = TrainingView(), None, run
        self.check.stop()
        self._over.discard(run)
        self.state = TrainingState.STARTING
        self._job = job = WorkerJob(request, self, make_client=self.make_client)
        job.told.connect(self._take)
        job.ended.connect(partial(self._end, job))
        self.follow()
        self.changed.emit()
        job.start()

    def _take(self, event: Event) -> None:
        self._live.take(event)
        if isinstance(event, STARTED):
            if self.state is TrainingState.STARTING:
                self.state = TrainingState.RUNNING
            self.look_at_runs()
            self.changed.emit()
        if not self._timer.isActive():
            self._timer.start(TELL_MS)

    def _end(self, job: WorkerJob, end: JobEnd) -> None:
        self._job = None
        job.deleteLater()
        self.state = TrainingState.IDLE
        if self.run:
            self._over.add(self.run)
        self.problem = _problem(end)
        self.look_at_runs()
        self.changed.emit()
        self.progressed.emit()
        self.ended.emit(_how_it_ended(end))
        then, self._then = self._then, None
        if then:
            QTimer.singleShot(0, then)

    def _refuse(self, error: BaseException) -> None:
        if isinstance(error, ISICGUIError):
            self.problem = error
        else:
            self.failed.emit(error)
        self.changed.emit()

    def _show_runs(self, found: tuple[list[RunEntry], dict[Path, Message]]) -> None:
        self.runs, self.damaged = found
        self.listed.emit()

    def _show_log(self, log: RunLog) -> None:
        view = TrainingView()
        view.fill(log.rows, log.sheet)
        self.view, self.looked_up = view, log.folder
        self.progressed.emit()

    def _recall(self) -> TrainingChoice:
        recall = self._settings.recall
        default_root = self._settings.paths.default_output_dir.parent / RUNS
        kind = cast(Kind, recall("training/kind", "diffusion", str))
        kind = kind if kind in PRESETS else "diffusion"
        preset, data = recall("training/preset", "quick", str), recall("training/data", "", str)
        return TrainingChoice(
            root=Path(recall("training/root", "", str) or default_root),
            kind=kind,
            data=Path(data) if data else None,
            preset=preset if preset in PRESETS[kind] else "quick",
        )

    def _remember(self) -> None:
        choice = self.choice
        for key, value in (
            ("kind", choice.kind),
            ("preset", choice.preset),
            ("data", str(choice.data or "")),
            ("root", str(choice.root)),
        ):
            self._settings.remember(f"training/{key}", value)


def _problem(end: JobEnd) -> ISICGUIError | None:
    if end.cancelled or not isinstance(end.error, WorkerDiedError):
        return None if end.cancelled else end.error
    remedy = Message("What it had saved is kept; try to resume it in the list of runs.")
    return WorkerDiedError(end.error.message, remedy=remedy)


def _how_it_ended(end: JobEnd) -> Message:
    if end.exit_code == 0:
        return Message("The training is complete.")
    if end.cancelled:
        return Message("The training was stopped; it can be resumed.")
    return Message("The training ended with an error.")
