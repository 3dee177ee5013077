"""Making a data set out of the output folder beside the GUI thread: choices, what would be written, the writing."""

from __future__ import annotations

import dataclasses
import enum
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from core.cancel import CancelToken, StopMode
from core.errors import ISICGUIError
from core.events import Event, Progress
from core.jobs.client import JobClient
from core.jobs.stream import JobContext
from core.taxonomy import CLASS_CODES
from core.utils.shell import shell_line
from dataset.export.request import (
    DEFAULT_SPLIT,
    FORMATS,
    ExportFinished,
    ExportOptions,
    ExportRequest,
    Format,
    Ratios,
    parse_split,
)
from gui.common.settings import SettingsModel
from gui.workers.job import JobEnd, MakeClient, WorkerJob
from gui.workers.task import TaskRunner

if TYPE_CHECKING:
    from dataset.export.pictures import Collection
    from dataset.export.plan import ExportPlan

PLAN_DELAY_MS: Final = 120
"""Waited after a choice before the plan is made anew: turning a wheel makes many of them."""

GRACE_MS: Final = 5000
"""Time that an export gets to remove what it has begun when the window has gone."""


class ExportState(enum.Enum):
    """What goes on."""

    LOOKING = "looking"
    """At the pictures of the folder, or planning."""
    READY = "ready"
    """`plan` is what would be written now."""
    WRITING = "writing"
    STOPPING = "stopping"


@dataclasses.dataclass(frozen=True, slots=True)
class Preview:
    """A plan, and what stands against carrying it out."""

    plan: ExportPlan
    obstacle: ISICGUIError | None


class DatasetExportModel(QObject):
    """One export at a time.

    Signals
    -------
    changed
        Look at everything: state, choices, preview, problem.
    progressed
        Look at `done` and `total`.
    finished
        An export is complete; carries an `ExportFinished`.
    failed
        Something that nobody expected; carries the exception.

    Attributes
    ----------
    preview
        What would be written; None until it is known.
    problem
        Why the last thing asked for did not work, if it did not.
    last
        The last export, until something is chosen anew.
    done, total, unit
        How far it is: "images" looked at, or "files" written.
    make_client
        Makes the client of the next export; tests prepare its process.
    """

    changed = pyqtSignal()
    progressed = pyqtSignal()
    finished = pyqtSignal(object)
    failed = pyqtSignal(object)
    _told = pyqtSignal(object)

    def __init__(self, settings: SettingsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._tasks = TaskRunner(1, self)
        self._collection: Collection | None = None
        self._cancel = CancelToken()
        self.make_client: MakeClient = JobClient
        self._job: WorkerJob | None = None
        self._generation = 0
        self._is_target_chosen = False
        self.output = settings.output
        self.options = ExportOptions(self.output)
        self.state = ExportState.READY
        self.preview: Preview | None = None
        self.problem: ISICGUIError | None = None
        self.last: ExportFinished | None = None
        self.done, self.total, self.unit = 0, 0, ""
        self._told.connect(self._take)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._plan)

    @property
    def is_writing(self) -> bool:
        """Whether an export is being written."""
        return self.state in (ExportState.WRITING, ExportState.STOPPING)

    @property
    def can_export(self) -> bool:
        """Whether the preview is up to date, nothing stands against it, and it has not just been written."""
        is_ready = self.state is ExportState.READY and self.last is None
        return is_ready and self.preview is not None and self.preview.obstacle is None

    @property
    def command(self) -> str:
        """The command line that makes the same export."""
        return shell_line(ExportRequest.of(self.output, self.options).arguments())

    @property
    def curation(self) -> Path | None:
        """The curation that can be chosen without looking for it: the chosen one, or the last one of this folder."""
        if self.options.curation is not None:
            return self.options.curation
        recall = self._settings.recall
        last = Path(recall("curation/file", "", str))
        return last if recall("curation/of", "", str) == str(self.output) and last.is_file() else None

    def open(self, curation: Path | None = None) -> None:
        """Look at the output folder in force, unless an export is being written."""
        if self.is_writing:
            return
        self._forget_work()
        self.output = self._settings.output
        self.options = dataclasses.replace(self._recall(), curation=curation)
        self._is_target_chosen = False
        self._collection, self.preview, self.problem, self.last = None, None, None, None
        self.look()

    def look(self) -> None:
        """Look at the pictures again."""
        if self.is_writing:
            return
        self._forget_work()
        self._enter(ExportState.LOOKING)
        output, cancel, generation = self.output, self._cancel, self._generation

        def work() -> Collection:
            from dataset.export.pictures import inspect

            return inspect(output, JobContext(cancel, self._told.emit))

        self._tasks.start(work, lambda found: self._looked(generation, found), lambda e: self._refuse(generation, e))

    def choose(self, **changes: Any) -> None:
        """Change options by their names in `ExportOptions`; the preview follows."""
        if self.is_writing:
            return
        options = dataclasses.replace(self.options, **changes)
        if options == self.options:
            return
        self.options, self.last = options, None
        self._is_target_chosen |= "target" in changes
        self._remember()
        if self._collection is not None:
            self._enter(ExportState.LOOKING)
            self._timer.start(PLAN_DELAY_MS)
        else:
            self.changed.emit()

    def start(self) -> None:
        """Write what the preview shows."""
        if not self.can_export or self.preview is None:
            return
        self._forget_work()
        self._enter(ExportState.WRITING)
        plan = self.preview.plan
        request = ExportRequest.of(self.output, plan.options, plan.fingerprint)
        self._job = job = WorkerJob(request, self, make_client=self.make_client)
        job.told.connect(self._take)
        job.ended.connect(self._written)
        job.start()

    def stop(self) -> None:
        """Stop writing; nothing is left of it."""
        if self.state is ExportState.WRITING and self._job:
            self._job.stop()
            self._enter(ExportState.STOPPING)

    def leave(self) -> None:
        """Nobody watches any more: stop looking, but go on writing."""
        if not self.is_writing:
            self._forget_work()
            self.state = ExportState.READY

    def close(self) -> None:
        """Stop everything, for the end of the program."""
        self._forget_work()
        if self._job:
            self._job.leave(GRACE_MS)

    def _forget_work(self) -> None:
        """Tell what runs to stop, and take no result of it."""
        self._timer.stop()
        self._cancel.request(StopMode.NOW)
        self._cancel = CancelToken()
        self._generation += 1
        self._tasks.forget_waiting()
        self.done, self.total, self.unit = 0, 0, ""

    def _enter(self, state: ExportState) -> None:
        self.state = state
        if state is ExportState.WRITING:
            self.problem = None
        self.changed.emit()

    def _looked(self, generation: int, collection: Collection) -> None:
        if generation == self._generation:
            self._collection = collection
            self._plan()

    def _plan(self) -> None:
        collection = self._collection
        if collection is None:
            return
        self._forget_work()
        options, generation = self.options, self._generation
        is_free = self._is_target_chosen
        self._tasks.start(
            lambda: _preview(collection, options if is_free else _with_free_target(options)),
            lambda preview: self._planned(generation, preview),
            lambda error: self._refuse(generation, error),
        )

    def _planned(self, generation: int, preview: Preview) -> None:
        if generation == self._generation:
            self.preview, self.options = preview, preview.plan.options
            self.problem = preview.obstacle
            self._enter(ExportState.READY)

    def _written(self, end: JobEnd) -> None:
        job, self._job = self._job, None
        if job:
            job.deleteLater()
        self.problem = None if end.cancelled else end.error
        self._enter(ExportState.READY)
        if self.last:
            self.finished.emit(self.last)

    def _refuse(self, generation: int, error: BaseException) -> None:
        if generation != self._generation:
            return
        if isinstance(error, ISICGUIError):
            self.problem = error
        else:
            self.failed.emit(error)
        self._enter(ExportState.READY)

    def _take(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.done, self.total, self.unit = event.done, event.total, event.unit
            self.progressed.emit()
        elif isinstance(event, ExportFinished) and event.status == "completed":
            self.last = event

    def _recall(self) -> ExportOptions:
        """Return the options of the last export, as far as they can be understood, for the folder in force."""
        recall = self._settings.recall
        name, split = recall("export/format", "", str), recall("export/split", "", str)
        form = cast(Format, name if name in FORMATS else "imagefolder")
        options = ExportOptions(_suggest(self.output, form), format=form, zip=recall("export/zip", False, bool))
        return dataclasses.replace(options, split=_split(split))

    def _remember(self) -> None:
        options = self.options
        self._settings.remember("export/format", options.format)
        self._settings.remember("export/split", "none" if options.split is None else "/".join(map(str, options.split)))
        self._settings.remember("export/zip", options.zip)
        if not self._is_target_chosen:
            target = _suggest(self.output, options.format)
            self.options = dataclasses.replace(options, target=target)


def all_classes(codes: set[str]) -> tuple[str, ...]:
    """Return chosen classes as `ExportOptions` wants them: in canonical order, none if they are all."""
    chosen = tuple(code for code in CLASS_CODES if code in codes)
    return () if len(chosen) == len(CLASS_CODES) else chosen


def _preview(collection: Collection, options: ExportOptions) -> Preview:
    from dataset.export.plan import check_plan, plan_of

    plan = plan_of(collection, options)
    try:
        check_plan(plan)
    except ISICGUIError as error:
        return Preview(plan, error)
    return Preview(plan, None)


def _suggest(output: Path, form: Format) -> Path:
    return output.with_name(f"{output.name}-{form}")


def _with_free_target(options: ExportOptions) -> ExportOptions:
    """Return options whose target does not exist yet: with ``-2``, ``-3`` … where it does."""
    number = 1
    while os.path.lexists(options.target) or (options.zip and os.path.lexists(options.archive)):
        number += 1
        stem = options.target.name.removesuffix(f"-{number - 1}") if number > 2 else options.target.name
        options = dataclasses.replace(options, target=options.target.with_name(f"{stem}-{number}"))
    return options


def _split(text: str) -> Ratios | None:
    try:
        return parse_split(text)
    except ISICGUIError:
        return DEFAULT_SPLIT
