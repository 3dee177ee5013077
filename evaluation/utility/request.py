"""What the experiment is asked for, and what it tells while it works; nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, TypeVar

from core.errors import UsageError
from core.events import INTERRUPTED, Event
from core.jobs.options import device_option, option
from core.jobs.registry import Request, job
from core.message import Message
from evaluation.curation.rules import parse_rules

MAX_RATIO: Final = 50.0
ENOUGH_SEEDS: Final = 5
_THE_PRESETS: Final = "the preset's"


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
"""Minutes on two cores; some hours on two cores; an hour on a GPU."""


P = TypeVar("P", Training, Preset)


def _read_ratios(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(
            Message("The ratios '{text}' are no numbers.", text=text), remedy=Message("Write --ratios 0.5,1,2,5")
        ) from error


def _write_ratios(ratios: tuple[float, ...]) -> str:
    return ",".join(repr(float(ratio)).removesuffix(".0") for ratio in ratios)


@job("evaluation.utility.experiment:run_experiment")
@dataclass(frozen=True, slots=True)
class UtilityRequest(Request):
    """One experiment. What is None is as the preset says: see `settings` for what holds.

    Attributes
    ----------
    train, test
        Photographs; the same path twice is divided by lesion. A lesion of one is never in the other.
    synthetic
        Generated images, of one or several folders, taken together.
    preset
        Name in `PRESETS`.
    ratios
        Synthetic to real images, one arm each.
    seeds
        Trainings of every arm.
    steps, architecture, image_size
        See `Training`.
    curate
        Rules by which synthetic images are left out before, see `evaluation.curation.rules`; "" for none. Only
        photographs to learn from and validation lesions are looked at for that.
    """

    command: ClassVar[tuple[str, ...]] = ("utility",)
    train: Path = option("--train", "Training photographs: a folder or a table.", kind="path")
    test: Path = option("--test", "Held-out test photographs.", kind="path")
    synthetic: tuple[Path, ...] = option("--synthetic", "Generated images; may be repeated.", kind="path", many=True)
    output: Path = option("--output", "Folder for results.json, report.html and the trainings.", kind="folder")
    preset: str = option(
        "--preset", "Thoroughness.", kind="choice", choices=tuple(PRESETS), default="quick", always=True
    )
    ratios: tuple[float, ...] | None = option(
        "--ratios",
        "Ratios of synthetic to real images, one training condition each: 0.5,1,2,5.",
        read=_read_ratios,
        write=_write_ratios,
        default=None,
        default_words=_THE_PRESETS,
    )
    seeds: int | None = option(
        "--seeds", "Trainings per condition.", kind="whole", default=None, default_words=_THE_PRESETS
    )
    steps: int | None = option(
        "--steps", "Optimiser steps of each training.", kind="whole", default=None, default_words=_THE_PRESETS
    )
    architecture: str | None = option(
        "--architecture", "Network, as in 'train classifier'.", default=None, default_words=_THE_PRESETS
    )
    image_size: int | None = option(
        "--image-size", "Side of the squares in pixels.", kind="whole", default=None, default_words=_THE_PRESETS
    )
    curate: str = option(
        "--curate", "Filter before training: fidelity>=0.5,copies,duplicates.", metavar="RULES", default=""
    )
    device: str = device_option()

    def __post_init__(self) -> None:
        if not self.synthetic:
            raise UsageError(
                Message("There are no synthetic images."), remedy=Message("Name their folder with --synthetic.")
            )
        parse_rules(self.curate)  # nonsense is refused before any picture is read
        settings = self.settings
        if settings.seeds < 1:
            raise UsageError(Message("At least one seed is needed."), remedy=Message("Use five or more."))
        if not settings.ratios or len(set(settings.ratios)) != len(settings.ratios):
            raise UsageError(
                Message("The ratios are missing, or one is named twice."), remedy=Message("Write --ratios 0.5,1,2,5")
            )
        if not all(0 < ratio <= MAX_RATIO for ratio in settings.ratios):
            raise UsageError(
                Message("A ratio of synthetic to real images must be above 0 and at most {most:.0f}.", most=MAX_RATIO),
                remedy=Message("Write --ratios 0.5,1,2,5"),
            )

    @property
    def settings(self) -> Preset:
        """What holds: the preset, with what the request says otherwise."""
        usual = PRESETS[self.preset]
        training = _changed(
            usual.training, steps=self.steps, architecture=self.architecture, image_size=self.image_size
        )
        return _changed(usual, training=training, ratios=self.ratios, seeds=self.seeds)


def _changed(usual: P, **changes: Any) -> P:
    """Return a copy of settings with the changes that are not None."""
    return replace(usual, **{name: value for name, value in changes.items() if value is not None})


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
    ends: ClassVar[bool] = True
    status: UtilityStatus
    output: Path
    results: Path | None = None
    report: Path | None = None
    level: str = "unknown"
    verdict: str = ""
    differences: dict[str, dict[str, float | None]] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """That of an interruption, if it was stopped."""
        return INTERRUPTED if self.status == "stopped" else 0
