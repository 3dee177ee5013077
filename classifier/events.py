"""What the training of a classifier reports while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from core.events import INTERRUPTED, Event, Progress


@dataclass(frozen=True, slots=True)
class DataRead(Event):
    """The photographs are found: what they are, what is trained from them, and where it goes.

    Attributes
    ----------
    lesions
        How many they show; None where nothing says which show the same one, so that each counts as one.
    """

    name: ClassVar[str] = "data"
    source: Path
    kind: str
    images: int
    lesions: int | None
    architecture: str
    scenario: str
    is_pretrained: bool
    output: Path


@dataclass(frozen=True, slots=True)
class TrainingStarted(Event):
    """A run, or a seed or fold of it, begins or goes on: everything that was decided is stated.

    `images` were seen by earlier sittings; `total` is where the run ends if nothing ends it before.
    """

    name: ClassVar[str] = "started"
    output: Path
    architecture: str
    origin: str
    train: int
    validation: int
    device: str
    precision: str
    parameters: int
    trained_parameters: int
    images: int
    total: int


@dataclass(frozen=True, slots=True)
class TrainingStep(Event):
    """One optimiser step is done."""

    name: ClassVar[str] = "step"
    images: int
    total: int
    loss: float

    @property
    def progress(self) -> Progress:
        """Images seen."""
        return Progress.of(self.images, self.total, "images")


@dataclass(frozen=True, slots=True)
class Evaluated(Event):
    """An epoch is complete, measured on the validation lesions, and on disk.

    `best` is the highest validation balanced accuracy so far.
    """

    name: ClassVar[str] = "evaluated"
    epoch: int
    images: int
    loss: float
    val_balanced_accuracy: float
    best: float


@dataclass(frozen=True, slots=True)
class TrainingFinished(Event):
    """Training is over, or was stopped and can be resumed; a completed one is measured next."""

    name: ClassVar[str] = "finished"
    status: Literal["completed", "stopped"]
    output: Path
    images: int
    seconds: float
    best: float


@dataclass(frozen=True, slots=True)
class SplitReady(Event):
    """The images of a training are divided: images and lesions of each part, and how many held-out images leak."""

    name: ClassVar[str] = "split"
    title: str
    counts: dict[str, dict[str, int]]
    leaked: int
    leakage: str


@dataclass(frozen=True, slots=True)
class Measured(Event):
    """A trained classifier was measured, with a 95 % interval of its balanced accuracy, and exported.

    Attributes
    ----------
    images
        How many images it was measured on.
    chance
        The balanced accuracy of a guess among the classes that were measured.
    """

    name: ClassVar[str] = "measured"
    ends: ClassVar[bool] = True
    title: str
    model: Path
    measured_on: str
    balanced_accuracy: float | None
    low: float | None
    high: float | None
    images: int
    chance: float


@dataclass(frozen=True, slots=True)
class Summarised(Event):
    """All seeds and folds of a run are done."""

    name: ClassVar[str] = "summarised"
    ends: ClassVar[bool] = True
    output: Path
    parts: int
    summary: str


@dataclass(frozen=True, slots=True)
class RunStopped(Event):
    """The run was stopped before everything was measured; what it has is kept in `output`, where it can go on."""

    name: ClassVar[str] = "stopped"
    ends: ClassVar[bool] = True
    output: Path

    @property
    def exit_code(self) -> int:
        """That of an interruption."""
        return INTERRUPTED
