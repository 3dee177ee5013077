"""What the experiment is asked for, and what it tells while it works; nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, Literal

from core.errors import UsageError
from core.events import Event
from core.message import Message
from evaluation.curation.rules import parse_rules

MAX_RATIO: Final = 50.0
ENOUGH_SEEDS: Final = 5


@dataclass(frozen=True, slots=True)
class Training:
    """How every classifier of the experiment is trained: the same in all arms.

    Attributes
    ----------
    image_size
        Side of the squares in pixels.
    steps
        Optimiser steps, each on `batch_size` images.
    looks
        How often the validation lesions are asked which state is the best; the last step is one of them.
    """

    architecture: str
    image_size: int
    steps: int
    batch_size: int = 32
    learning_rate: float = 1e-3
    looks: int = 8

    def __post_init__(self) -> None:
        for name in ("image_size", "steps", "batch_size", "looks"):
            if getattr(self, name) < 1:
                raise UsageError(
                    Message("{name} must be at least 1.", name=name), remedy=Message("Give a larger number.")
                )


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings that go together."""

    training: Training
    ratios: tuple[float, ...]
    seeds: int


PRESETS: Final[dict[str, Preset]] = {
    "quick": Preset(Training("simple_cnn", 32, 200), (1.0,), 3),
    "standard": Preset(Training("resnet18", 64, 1500), (0.5, 1.0, 2.0, 5.0), 5),
    "gpu": Preset(Training("resnet18", 128, 6000, 64), (0.5, 1.0, 2.0, 5.0), 5),
}
"""Minutes on two cores; some hours on two cores; an hour on a graphics card."""


@dataclass(frozen=True, slots=True)
class UtilityRequest:
    """One experiment.

    Attributes
    ----------
    train, test
        Photographs; the same path twice is divided by lesion. A lesion of one is never in the other.
    synthetic
        Generated images, of one or several folders, taken together.
    ratios
        Synthetic to real images, one arm each.
    seeds
        Trainings of every arm.
    curate
        Rules by which synthetic images are left out before, see `evaluation.curation.rules`; "" for none. Only
        photographs to learn from and validation lesions are looked at for that.
    """

    train: Path
    test: Path
    synthetic: tuple[Path, ...]
    output: Path
    training: Training = PRESETS["quick"].training
    ratios: tuple[float, ...] = PRESETS["quick"].ratios
    seeds: int = PRESETS["quick"].seeds
    device: str = "auto"
    curate: str = ""

    def __post_init__(self) -> None:
        if not self.synthetic:
            raise UsageError(
                Message("There are no synthetic images."), remedy=Message("Name their folder with --synthetic.")
            )
        parse_rules(self.curate)  # nonsense is refused before any picture is read
        if self.seeds < 1:
            raise UsageError(Message("At least one seed is needed."), remedy=Message("Five or more tell something."))
        if not self.ratios or len(set(self.ratios)) != len(self.ratios):
            raise UsageError(
                Message("The ratios are missing, or one is named twice."), remedy=Message("Write --ratios 0.5,1,2,5")
            )
        if not all(0 < ratio <= MAX_RATIO for ratio in self.ratios):
            raise UsageError(
                Message("A ratio of synthetic to real images lies above 0, up to {most:.0f}.", most=MAX_RATIO),
                remedy=Message("Write --ratios 0.5,1,2,5"),
            )


@dataclass(frozen=True, slots=True)
class UtilityStarted(Event):
    """The experiment begins; images by part."""

    name: ClassVar[str] = "started"
    output: Path
    arms: tuple[str, ...]
    seeds: int
    steps: int
    images: dict[str, int]
    lesions: dict[str, int]


@dataclass(frozen=True, slots=True)
class UtilityProgress(Event):
    """How far it is: `fraction` of everything, 0..1; `done` of `total` steps of this training."""

    name: ClassVar[str] = "progress"
    stage: str
    done: int
    total: int
    fraction: float
    words: str


@dataclass(frozen=True, slots=True)
class ArmTrained(Event):
    """One training is finished, or was found finished."""

    name: ClassVar[str] = "trained"
    arm: str
    title: str
    seed: int
    balanced_accuracy: float
    kept: bool


UtilityStatus = Literal["completed", "stopped"]


@dataclass(frozen=True, slots=True)
class UtilityFinished(Event):
    """The end; without a report if it was stopped before it."""

    name: ClassVar[str] = "finished"
    status: UtilityStatus
    output: Path
    results: Path | None = None
    report: Path | None = None
    level: str = "unknown"
    verdict: str = ""
    differences: dict[str, dict[str, float | None]] = field(default_factory=dict)
