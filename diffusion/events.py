"""What a generator's training tells while it runs; every count is in training images, repetitions included."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from core.events import INTERRUPTED, Event, Progress

TrainingStatus = Literal["completed", "stopped"]


@dataclass(frozen=True, slots=True)
class DataRead(Event):
    """The photographs are in memory: how many of each class are in each part, and whether held-out lesions leak."""

    name: ClassVar[str] = "data"
    source: Path
    counts: dict[str, dict[str, int]]
    leakage: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class TrainingStarted(Event):
    """Training begins or continues: everything that was decided on the user's behalf is stated.

    Attributes
    ----------
    class_code
        The class of this network, or "" if it learns several.
    images, total
        Images seen by earlier sittings, and the budget.
    """

    name: ClassVar[str] = "started"
    output: Path
    class_code: str
    images: int
    total: int
    parameters: int
    device: str
    precision: str
    processes: int


@dataclass(frozen=True, slots=True)
class TrainingStep(Event):
    """One optimiser step is done; `remaining` (seconds) is None until the pace is known."""

    name: ClassVar[str] = "step"
    images: int
    total: int
    loss: float
    rate: float
    images_per_second: float | None
    remaining: float | None

    @property
    def progress(self) -> Progress:
        """Images seen."""
        return Progress.of(self.images, self.total, "images")


@dataclass(frozen=True, slots=True)
class Evaluated(Event):
    """The moving average was looked at.

    Attributes
    ----------
    kid, kid_low, kid_high
        Kernel distance of samples to held-out lesions, mean over the classes, with its 95 % interval; None if no class
        has enough held-out photographs.
    space
        The features in which it was measured.
    best
        Whether it is the lowest so far; if so, `best/` holds these weights.
    """

    name: ClassVar[str] = "evaluated"
    images: int
    validation_loss: float
    kid: float | None
    kid_low: float | None
    kid_high: float | None
    kid_by_class: dict[str, float]
    space: str
    best: bool
    sheet: Path


@dataclass(frozen=True, slots=True)
class MemorisationJudged(Event):
    """The samples of the best weights were compared with the photographs that were trained on."""

    name: ClassVar[str] = "memorisation"
    excess: float
    low: float
    high: float
    flagged: int
    n: int
    sentence: str
    file: Path


@dataclass(frozen=True, slots=True)
class TrainingFinished(Event):
    """The end of a sitting with one network.

    Attributes
    ----------
    run, output
        Folder of the whole run, and of this network; the same unless each class has a network.
    classes
        What this network has learned.
    models
        What `generate --models` takes.
    """

    name: ClassVar[str] = "finished"
    ends: ClassVar[bool] = True
    status: TrainingStatus
    run: Path
    output: Path
    classes: tuple[str, ...]
    models: Path
    images: int
    seconds: float
    best_kid: float | None = field(default=None)

    @property
    def exit_code(self) -> int:
        """That of an interruption, if it was stopped."""
        return INTERRUPTED if self.status == "stopped" else 0
