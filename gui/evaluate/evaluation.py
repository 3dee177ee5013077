"""Judging synthetic sets in the window: what is asked, the process that measures, and what it has found so far."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from core.errors import ISICGUIError
from core.events import Event, Notice, Progress
from core.jobs.client import JobClient, WorkerDiedError
from core.message import Message
from core.utils.shell import shell_line
from evaluation.curation.request import CurationFinished
from evaluation.measurements import MEASUREMENTS
from evaluation.request import EvaluationFinished, Judged
from evaluation.utility.request import ArmTrained, UtilityFinished
from gui.common.photograph_check import PhotographCheck
from gui.common.settings import SettingsModel
from gui.evaluate.evaluation_choice import (
    ALL_PLACES,
    NOTHING,
    PHOTOGRAPHS,
    PLACES,
    PRESETS,
    RULES,
    EvaluationChoice,
    Kind,
)
from gui.workers.job import JobEnd, MakeClient, WorkerJob

TELL_MS: Final = 100
LEAVE_MS: Final = 4000
EVALUATIONS: Final = "evaluations"
RESULTS: Final = "results.json"
"""Written when an experiment is complete, and not before."""

TRAININGS: Final = "runs"
"""Folder of the finished trainings of an experiment."""


class EvaluationState(enum.Enum):
    """What the process does."""

    IDLE = "idle"
    RUNNING = "running"
    STOPPING = "stopping"


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One measurement that is finished: its title, ``good``, ``doubt``, ``bad`` or ``unknown``, and the verdict.

    A training that is finished says nothing yet about the set: its level is empty. The words are English, to be
    translated where they are shown.
    """

    title: str
    level: str
    verdict: str


class EvaluationModel(QObject):
    """One evaluation at a time, in a process of its own.

    Signals
    -------
    changed
        Look at everything.
    progressed
        Look at `fraction` and `words`.
    ended
        An evaluation has ended; carries the words that say how.

    Attributes
    ----------
    findings
        What has been measured so far, in order.
    report
        The finished page, once there is one; after a curation the table of its decisions.
    notes
        What a person should know about the sets.
    checks
        The looks at the chosen photographs, by the names of their places.
    make_client
        Makes the client of the next evaluation; tests prepare its process with other jobs.
    """

    changed = pyqtSignal()
    progressed = pyqtSignal()
    ended = pyqtSignal(object)

    def __init__(self, settings: SettingsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.make_client: MakeClient = JobClient
        self.checks = {name: PhotographCheck(self, needs_labels=False) for name in PHOTOGRAPHS}
        self._job: WorkerJob | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.progressed)
        self.choice = self._recall()
        self.state = EvaluationState.IDLE
        self.fraction, self.words = 0.0, ""
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.level, self.verdict = "unknown", ""
        self.output: Path | None = None
        self.report: Path | None = None
        self.problem: ISICGUIError | None = None

    @property
    def busy(self) -> bool:
        """Whether an evaluation goes on."""
        return self.state is not EvaluationState.IDLE

    @property
    def can_start(self) -> bool:
        """Whether everything that is needed was named and nothing goes on."""
        return not self.busy and self.choice.is_complete

    @property
    def command(self) -> str:
        """The command line that does the same."""
        return shell_line(self.choice.request(self._place()).arguments())

    @property
    def goes_on(self) -> bool:
        """Whether the chosen experiment has been begun and would go on where it was stopped."""
        return self._begun() is not None

    @property
    def exportable(self) -> Path | None:
        """The curation that has just been made of the output folder in force, for an export of it."""
        is_curated = self.choice.kind == "curate" and self.choice.synthetic == self._settings.output
        return self.report if is_curated else None

    def open(self) -> None:
        """Begin with the output folder in force, unless something goes on or was found."""
        if not self.busy and not self.findings and not self.verdict:
            self.choice = dataclasses.replace(self.choice, synthetic=self._settings.output)
        for name in self.checks:
            self._look_at(name, opens=False)

    def choose(self, **changes: Any) -> None:
        """Change the choice by the names of `EvaluationChoice`."""
        kind = self.choice.kind
        self.choice = dataclasses.replace(self.choice, **changes)
        if kind != self.choice.kind and not self.busy:
            self._forget_findings()
        self._remember()
        self.changed.emit()

    def choose_place(self, name: str, path: str) -> None:
        """Choose one of the folders; an empty path takes it back."""
        places = {**dict(self.choice.places), name: path}
        self.choose(places=tuple((key, value) for key, value in places.items() if value))
        self._look_at(name, opens=not self.busy)

    def start(self) -> None:
        """Judge the chosen set."""
        if not self.can_start:
            return
        self.output = self._place()
        if self.choice.kind == "utility":
            self._settings.remember("evaluation/begun", str(self.output))
            self._settings.remember("evaluation/begun_as", self.choice.signature)
        self._forget_findings()
        self.leave_photographs()
        self.state = EvaluationState.RUNNING
        self._job = job = WorkerJob(self.choice.request(self.output), self, make_client=self.make_client)
        job.told.connect(self._take)
        job.ended.connect(self._end)
        self.changed.emit()
        job.start()

    def stop(self) -> None:
        """Stop; features that were computed, and finished trainings, are kept for the next time."""
        if self._job and self.state is EvaluationState.RUNNING:
            self.state = EvaluationState.STOPPING
            self._job.stop()
            self.changed.emit()

    def close(self) -> None:
        """Stop and wait a moment, for the end of the program."""
        self._timer.stop()
        for check in self.checks.values():
            check.close()
        if self._job:
            self._job.leave(LEAVE_MS)

    def leave_photographs(self) -> None:
        """Open no further photograph to see what was chosen; nobody looks, or something else needs the machine."""
        for check in self.checks.values():
            check.stop()

    def _look_at(self, name: str, *, opens: bool) -> None:
        check, text = self.checks.get(name), self.choice.place(name)
        path = Path(text).expanduser() if text else None
        if check is not None and check.path != path:
            check.look(path, opens=opens)

    def _forget_findings(self) -> None:
        self.fraction, self.words, self.level, self.verdict = 0.0, "", "unknown", ""
        self.findings, self.notes, self.report, self.problem = [], [], None, None

    def _take(self, event: Event) -> None:
        take: Mapping[type[Event], Callable[[Any], None]] = {
            Progress: self._take_progress,
            Judged: self._take_finding,
            ArmTrained: self._take_training,
            Notice: self._take_note,
            EvaluationFinished: self._take_report,
            CurationFinished: self._take_decisions,
            UtilityFinished: self._take_report,
        }
        if type(event) in take:
            take[type(event)](event)

    def _take_progress(self, event: Progress) -> None:
        self.fraction = min(1.0, max(self.fraction, event.fraction))
        self.words = event.sentence
        if not self._timer.isActive():
            self._timer.start(TELL_MS)

    def _take_finding(self, event: Judged) -> None:
        self.findings.append(Finding(event.title, event.level, event.verdict))
        self.changed.emit()

    def _take_training(self, event: ArmTrained) -> None:
        title = Message("{arm}, seed {seed}", arm=event.title, seed=event.seed)
        words = Message("Balanced accuracy on the validation lesions: {value:.3f}", value=event.balanced_accuracy)
        self.findings.append(Finding(title, "", words))
        self.changed.emit()

    def _take_note(self, event: Notice) -> None:
        self.notes.append(event.message)
        self.changed.emit()

    def _take_report(self, end: EvaluationFinished | UtilityFinished) -> None:
        self.fraction = 1.0
        self.report, self.level, self.verdict = end.report, end.level, end.verdict

    def _take_decisions(self, end: CurationFinished) -> None:
        self.fraction = 1.0
        self.report, self.verdict = end.curation, end.verdict
        for rule, count in end.left_out.items():
            words = Message("Excluded: %n image(s).", n=count)
            self.findings.append(Finding(_rule_words(rule), "", words))

    def _end(self, end: JobEnd) -> None:
        job, self._job = self._job, None
        if job:
            job.deleteLater()
        self.state = EvaluationState.IDLE
        self.problem = _problem(end)
        if curation := self.exportable:
            self._settings.remember("curation/file", str(curation))
            self._settings.remember("curation/of", str(self.choice.synthetic))
        self.changed.emit()
        self.progressed.emit()
        self.ended.emit(_how_it_ended(end, self.choice.kind))

    def _place(self) -> Path:
        """Return where the results go: where the same experiment was begun, or into a new folder."""
        return self._begun() or self.choice.output(datetime.now())

    def _begun(self) -> Path | None:
        """Return the folder of an experiment like the chosen one that is not finished."""
        if self.choice.kind != "utility" or not self.choice.is_complete:
            return None
        begun = Path(self._settings.recall("evaluation/begun", "", str))
        is_same = self._settings.recall("evaluation/begun_as", "", str) == self.choice.signature
        return begun if is_same and (begun / TRAININGS).is_dir() and not (begun / RESULTS).exists() else None

    def _recall(self) -> EvaluationChoice:
        root = self._settings.paths.default_output_dir.parent / EVALUATIONS
        kind = cast(Kind, self._recalled("kind", PLACES, "evaluate"))
        places = ((name, self._settings.recall(f"evaluation/{name}", "", str)) for name in ALL_PLACES)
        return EvaluationChoice(
            self._settings.output,
            root,
            kind,
            tuple((name, text) for name, text in places if text),
            rules=self._recalled("rules", RULES, "standard"),
            before=self._recalled("before", RULES, NOTHING),
            preset=self._recalled("preset", PRESETS, PRESETS[0]),
            measure=self._recalled("measure", ("", *MEASUREMENTS), ""),
        )

    def _recalled(self, name: str, known: Collection[str], usual: str) -> str:
        found: str = self._settings.recall(f"evaluation/{name}", usual, str)
        return found if found in known else usual

    def _remember(self) -> None:
        for name in ("kind", "rules", "before", "preset", "measure"):
            self._settings.remember(f"evaluation/{name}", getattr(self.choice, name))
        for name in ALL_PLACES:
            self._settings.remember(f"evaluation/{name}", self.choice.place(name))


def _rule_words(rule: str) -> str:
    words = {
        "copies": Message("Suspected training copies"),
        "fidelity": Message("Predicted class differs from the target class"),
        "duplicates": Message("Near-duplicate of another image"),
        "best": Message("Not among the best of the class"),
        "unreadable": Message("Unreadable files"),
    }
    return words.get(rule, rule)


def _problem(end: JobEnd) -> ISICGUIError | None:
    if end.cancelled or not isinstance(end.error, WorkerDiedError):
        return None if end.cancelled else end.error
    remedy = Message("Start it again: computed features and finished trainings are kept.")
    return WorkerDiedError(end.error.message, remedy=remedy)


def _how_it_ended(end: JobEnd, kind: Kind) -> Message:
    if end.exit_code == 0:
        return Message("The evaluation is complete.")
    if not end.cancelled:
        return Message("The evaluation ended with an error.")
    return {
        "evaluate": Message("The evaluation was stopped; the next one reuses the computed features."),
        "curate": Message("The curation was stopped; nothing was written."),
        "utility": Message("The study was stopped; with the same choices it continues where it stopped."),
    }[kind]
