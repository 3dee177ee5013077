"""What every training of a network that goes on from a run's folder is asked for; nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from core.errors import UsageError
from core.jobs.options import option
from core.jobs.registry import Request
from core.message import Message

if TYPE_CHECKING:
    from training.settings import Settings

Config = TypeVar("Config", bound="Settings")
SavedRun = tuple[Mapping[str, Any], Mapping[str, Any]]
"""The content of a run's `config.json`, and the settings in it."""


def read_saved_run(output: Path | None, kind: str) -> SavedRun:
    """Return what is known of a run that is to go on.

    Raises
    ------
    UsageError
        If no folder is named, or its run is of another kind.
    InputRefusedError
        If there is no run in it.
    """
    from training.run_folder import read_run_config, read_run_settings

    if output is None:
        raise UsageError(
            Message("--resume needs the folder of the run."), remedy=Message("Name its folder with --output.")
        )
    return read_run_config(output), read_run_settings(output, kind)


@dataclass(frozen=True, slots=True)
class TrainingPlan(Generic[Config]):
    """A request once its settings are put together.

    Attributes
    ----------
    config
        The settings: preset, file and flags put together.
    output
        The run's folder; a new one under `runs/` if None.
    resume
        Continue what is there.
    init_from
        Model whose weights a new run begins with, or None.
    allow_leakage
        Go on although held-out lesions are also in training.
    allow_generated
        Go on although some of the photographs are generated images.
    """

    config: Config
    data: Path
    output: Path | None
    resume: bool = False
    init_from: Path | None = None
    allow_leakage: bool = False
    allow_generated: bool = False


@dataclass(frozen=True, slots=True)
class GeneratorTrainingRequest(Request):
    """Base of the trainings of a generator's networks. What is None is as the file, the preset or the saved run says.

    Attributes
    ----------
    kind
        Kind of run, as its `config.json` names it.
    settings
        Fields that are settings of the configuration under the same name.
    file
        Settings as TOML or JSON; they win over the preset.
    preset
        Name of a starting point.
    assignments
        Further settings as ``key=value``; they win over the file, and the flags over them.
    """

    kind: ClassVar[str]
    settings: ClassVar[tuple[str, ...]] = (
        "images", "max_minutes", "batch_size", "learning_rate", "image_size", "seed", "device", "precision", "tracker",
    )  # fmt: skip
    data: Path | None = option(
        "--data", "Photographs: a folder, or a CSV; with --resume those of the run.", kind="path", default=None
    )
    output: Path | None = option(
        "--output", "Folder of the run.", kind="folder", default=None, default_words="runs/NAME_DATE_TIME"
    )
    file: Path | None = option(
        "--config", "Settings as TOML or JSON; only what differs from the defaults.", kind="path", default=None
    )
    preset: str | None = option("--preset", "Starting point; file and flags win over it.", default=None)
    assignments: tuple[str, ...] = option(
        "--set", "Any other setting; can be repeated.", many=True, metavar="KEY=VALUE", default=()
    )
    images: int | None = option(
        "--images", "Training images to process, repetitions included.", kind="whole", default=None
    )
    max_minutes: float | None = option(
        "--max-minutes", "Time limit; the learning rate ends with it.", kind="number", default=None
    )
    batch_size: int | None = option("--batch-size", "Images per step.", kind="whole", default=None)
    learning_rate: float | None = option("--learning-rate", "Highest learning rate.", kind="number", default=None)
    image_size: int | None = option("--image-size", "Side of the images in pixels.", kind="whole", default=None)
    seed: int | None = option("--seed", "Random seed for weights and samples.", kind="whole", default=None)
    device: str | None = option("--device", "auto, cpu, cuda or cuda:N.", default=None)
    precision: str | None = option("--precision", "Numeric precision.", metavar="auto|fp32|bf16", default=None)
    tracker: str | None = option("--tracker", "tensorboard, wandb or none.", default=None)
    init_from: Path | None = option(
        "--init-from", "Start from the weights of a model pack, checkpoint or last.pt.", kind="path", default=None
    )
    allow_leakage: bool = option(
        "--allow-leakage", "Continue although held-out lesions are also in training.", kind="switch", default=False
    )
    allow_generated: bool = option(
        "--allow-generated", "Learn from generated images, too.", kind="switch", default=False
    )
    resume: bool = option("--resume", "Continue the run in --output.", kind="switch", default=False)

    def preset_values(self, *, warm: bool) -> Mapping[str, Any]:
        """Return the settings of the preset, which win over those of a saved run; `warm` if weights are given."""
        raise NotImplementedError

    def planned(self, config: type[Config]) -> TrainingPlan[Config]:
        """Put the settings together, of the class given; a continued run begins with its own.

        Raises
        ------
        UsageError
            If something is missing, a setting is unknown or impossible, or the run to go on with is of another kind.
        InputRefusedError
            If there is no run to go on with.
        """
        from training.settings import load_settings, parse_assignments

        saved, settings = read_saved_run(self.output, self.kind) if self.resume else ({}, {})
        data = self.data or _path(saved.get("data"))
        if data is None:
            raise UsageError(
                Message("There are no training photographs."), remedy=Message("Name their folder with --data.")
            )
        init_from = self.init_from or _path(saved.get("init_from"))
        flags = {name: value for name in self.settings if (value := getattr(self, name)) is not None}
        loaded = load_settings(
            config,
            file=self.file,
            preset={**settings, **self.preset_values(warm=init_from is not None)},
            overrides={**parse_assignments(self.assignments), **flags},
        )
        return TrainingPlan(loaded, data, self.output, self.resume, init_from, self.allow_leakage, self.allow_generated)


def _path(text: object) -> Path | None:
    return Path(text) if isinstance(text, str) else None
