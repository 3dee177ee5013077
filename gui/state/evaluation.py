"""Judging synthetic sets in the window: what is asked, the process that measures, and what it has found so far."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, cast

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from core.errors import InputRefusedError, ISICGUIError
from core.message import Message
from core.utils.shell import shell_line
from gui.i18n import translate
from gui.state.settings import SettingsModel
from gui.workers.command_job import MAIN, CommandJob, JobEnd

TELL_MS: Final = 100
LEAVE_MS: Final = 4000
EVALUATIONS: Final = "evaluations"

Kind = Literal["evaluate", "utility"]
PLACES: Final[dict[Kind, tuple[str, ...]]] = {
    "evaluate": ("real", "train", "masks"),
    "utility": ("train", "test"),
}
"""The folders that a command takes besides the synthetic set; the first ones are needed."""

NEEDED: Final[dict[Kind, tuple[str, ...]]] = {"evaluate": ("real",), "utility": ("train", "test")}


class EvaluationState(enum.Enum):
    """What the process does."""

    IDLE = "idle"
    RUNNING = "running"
    STOPPING = "stopping"


@dataclasses.dataclass(frozen=True, slots=True)
class EvaluationChoice:
    """What the window asks of `evaluate` or `utility`.

    Attributes
    ----------
    synthetic
        Folder of generated images.
    places
        Folder or table by the name of its flag; see `PLACES`.
    root
        Folder in which each evaluation gets a folder.
    """

    synthetic: Path
    root: Path
    kind: Kind = "evaluate"
    places: tuple[tuple[str, str], ...] = ()
    device: str = "auto"

    def place(self, name: str) -> str:
        """Return a folder by its flag's name, empty if none was chosen."""
        return dict(self.places).get(name, "")

    @property
    def is_complete(self) -> bool:
        """Whether everything that is needed was named."""
        return all(self.place(name) for name in NEEDED[self.kind])

    def output(self, now: datetime) -> Path:
        """Return the folder of an evaluation that begins now."""
        return self.root / f"{self.kind}-{self.synthetic.name}_{now:%Y%m%d_%H%M%S}"


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One measurement that is finished: its title, ``good``, ``doubt``, ``bad`` or ``unknown``, and the verdict."""

    title: str
    level: str
    verdict: str


def evaluation_arguments(choice: EvaluationChoice, output: Path) -> list[str]:
    """Return the arguments of `python main.py` that judge a set into a folder."""
    arguments: list[str] = [choice.kind, "--synthetic", str(choice.synthetic)]
    for name in PLACES[choice.kind]:
        arguments += [f"--{name}", choice.place(name)] if choice.place(name) else []
    return [*arguments, "--output", str(output), "--device", choice.device]


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
        The finished page, once there is one.
    notes
        What a person should know about the sets.
    """

    changed = pyqtSignal()
    progressed = pyqtSignal()
    ended = pyqtSignal(object)

    def __init__(self, settings: SettingsModel, parent: QObject | None = None, *, script: Path = MAIN) -> None:
        super().__init__(parent)
        self._settings, self.script = settings, script
        self._job: CommandJob | None = None
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
        return shell_line(evaluation_arguments(self.choice, self.choice.output(datetime.now())))

    def open(self) -> None:
        """Begin with the output folder in force, unless something goes on or was found."""
        if not self.busy and not self.findings:
            self.choice = dataclasses.replace(self.choice, synthetic=self._settings.output)

    def choose(self, **changes: Any) -> None:
        """Change the choice by the names of `EvaluationChoice`."""
        self.choice = dataclasses.replace(self.choice, **changes)
        self._remember()
        self.changed.emit()

    def choose_place(self, name: str, path: str) -> None:
        """Choose one of the folders; an empty path takes it back."""
        places = {**dict(self.choice.places), name: path}
        self.choose(places=tuple((key, value) for key, value in places.items() if value))

    def start(self) -> None:
        """Judge the chosen set."""
        if not self.can_start:
            return
        self.output = self.choice.output(datetime.now())
        self.fraction, self.words, self.level, self.verdict = 0.0, "", "unknown", ""
        self.findings, self.notes, self.report, self.problem = [], [], None, None
        self.state = EvaluationState.RUNNING
        self._job = job = CommandJob(evaluation_arguments(self.choice, self.output), self, script=self.script)
        job.told.connect(self._take)
        job.ended.connect(self._end)
        self.changed.emit()
        job.start()

    def stop(self) -> None:
        """Stop; features that were computed are kept for the next time."""
        if self._job and self.state is EvaluationState.RUNNING:
            self.state = EvaluationState.STOPPING
            self._job.stop()
            self.changed.emit()

    def close(self) -> None:
        """Stop and wait a moment, for the end of the program."""
        self._timer.stop()
        if self._job:
            self._job.leave(LEAVE_MS)

    def _take(self, event: dict[str, Any]) -> None:
        take: Callable[[dict[str, Any]], None] | None = {
            "progress": self._take_progress,
            "judged": self._take_finding,
            "notice": self._take_note,
            "finished": self._take_end,
        }.get(str(event.get("event")))
        if take is not None:
            take(event)

    def _take_progress(self, event: dict[str, Any]) -> None:
        fraction = event.get("fraction")
        if isinstance(fraction, int | float):
            self.fraction = min(1.0, max(self.fraction, float(fraction)))
        self.words = translate(str(event.get("words", "")))
        if not self._timer.isActive():
            self._timer.start(TELL_MS)

    def _take_finding(self, event: dict[str, Any]) -> None:
        title, verdict = (
            translate(event[key]) if isinstance(event.get(key), str) else "" for key in ("title", "verdict")
        )
        self.findings.append(Finding(title, str(event.get("level", "unknown")), verdict))
        self.changed.emit()

    def _take_note(self, event: dict[str, Any]) -> None:
        if isinstance(event.get("message"), str):
            self.notes.append(translate(event["message"]))
            self.changed.emit()

    def _take_end(self, event: dict[str, Any]) -> None:
        self.fraction = 1.0
        if isinstance(event.get("report"), str):
            self.report = Path(event["report"])
        if isinstance(event.get("verdict"), str):
            self.verdict = translate(event["verdict"])
        self.level = str(event.get("level", "unknown"))

    def _end(self, end: JobEnd) -> None:
        job, self._job = self._job, None
        if job:
            job.deleteLater()
        self.state = EvaluationState.IDLE
        self.problem = _problem(end)
        self.changed.emit()
        self.progressed.emit()
        self.ended.emit(_how_it_ended(end))

    def _recall(self) -> EvaluationChoice:
        recall = self._settings.recall
        root = self._settings.paths.default_output_dir.parent / EVALUATIONS
        kind = cast(Kind, recall("evaluation/kind", "evaluate", str))
        names = dict.fromkeys(name for places in PLACES.values() for name in places)
        places = tuple((name, text) for name in names if (text := recall(f"evaluation/{name}", "", str)))
        return EvaluationChoice(self._settings.output, root, kind if kind in PLACES else "evaluate", places)

    def _remember(self) -> None:
        self._settings.remember("evaluation/kind", self.choice.kind)
        for name in dict.fromkeys(name for places in PLACES.values() for name in places):
            self._settings.remember(f"evaluation/{name}", self.choice.place(name))


def _problem(end: JobEnd) -> ISICGUIError | None:
    if end.exit_code == 0 or end.cancelled:
        return None
    if end.error is not None:
        return end.error
    last = "".join(end.log_tail.strip().splitlines()[-1:])
    return InputRefusedError(
        Message("The evaluation ended by itself ({code}). It last said: {words}", code=end.exit_code, words=last),
        remedy=Message("Begin it again: features that were computed are kept."),
    )


def _how_it_ended(end: JobEnd) -> Message:
    if end.exit_code == 0:
        return Message("The evaluation is complete.")
    if end.cancelled:
        return Message("The evaluation was stopped; the next one goes on with the features it has computed.")
    return Message("The evaluation ended with an error.")
