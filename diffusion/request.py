"""What `train diffusion` is asked for; nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from core.errors import UsageError
from core.jobs.options import option
from core.jobs.registry import job
from core.jobs.request import Request
from core.message import Message
from diffusion.presets import LATENT_PRESETS, PRESETS, one_network_a_class

if TYPE_CHECKING:
    from diffusion.config import DiffusionConfig

KIND: Final = "diffusion"

_SETTINGS: Final = (
    "images", "max_minutes", "batch_size", "learning_rate", "image_size", "seed", "device", "precision", "classes",
    "tracker",
)  # fmt: skip
"""Fields of the request that are settings of `DiffusionConfig` under the same name."""


@dataclass(frozen=True, slots=True)
class DiffusionPlan:
    """A request once it is known what holds.

    Attributes
    ----------
    config
        The settings: preset, file and flags put together.
    output
        The run's folder; a new one under `runs/` if None.
    resume
        Continue what lies there.
    init_from
        Model whose weights a new run begins with, or None.
    allow_leakage
        Go on although held-out lesions are also in training.
    """

    config: DiffusionConfig
    data: Path
    output: Path | None
    resume: bool = False
    init_from: Path | None = None
    allow_leakage: bool = False


@job("diffusion.run:run_training")
@dataclass(frozen=True, slots=True)
class TrainDiffusionRequest(Request):
    """A generator's training. What is None is as the file says, or the preset, or the run that goes on: see `plan`.

    Attributes
    ----------
    file
        Settings as TOML or JSON; they win over the preset.
    preset
        Name in `PRESETS`.
    assignments
        Further settings as ``key=value``; they win over the file, and the flags over them.
    """

    command: ClassVar[tuple[str, ...]] = ("train", KIND)
    data: Path | None = option(
        "--data", "Photographs: a folder, or a CSV; with --resume those of the run.", kind="path", default=None
    )
    output: Path | None = option(
        "--output", "Folder of the run.", kind="folder", default=None, default_words="runs/NAME_DATE_TIME"
    )
    file: Path | None = option(
        "--config", "Settings as TOML or JSON; only what differs from the defaults.", kind="path", default=None
    )
    preset: str | None = option(
        "--preset", "Starting point; file and flags win over it.", kind="choice", choices=tuple(PRESETS), default=None
    )
    assignments: tuple[str, ...] = option(
        "--set", "Any other setting; can be repeated.", many=True, metavar="KEY=VALUE", default=()
    )
    images: int | None = option(
        "--images", "Training images to process, repetitions included.", kind="whole", default=None
    )
    max_minutes: float | None = option(
        "--max-minutes", "Time limit; the learning rate ends with it.", kind="number", default=None
    )
    batch_size: int | None = option("--batch-size", "Images per step, over all processes.", kind="whole", default=None)
    learning_rate: float | None = option("--learning-rate", "Highest learning rate.", kind="number", default=None)
    image_size: int | None = option("--image-size", "Side of the images in pixels.", kind="whole", default=None)
    seed: int | None = option("--seed", "Random seed for weights and samples.", kind="whole", default=None)
    device: str | None = option("--device", "auto, cpu, cuda or cuda:N.", default=None)
    precision: str | None = option("--precision", "Numeric precision.", metavar="auto|fp32|bf16", default=None)
    classes: str | None = option(
        "--classes", "Classes to learn.", metavar="MEL,NV,...", default=None, default_words="all seven"
    )
    per_class: bool = option(
        "--per-class",
        "Train one network per class, in the architecture of ISICGenerator.",
        kind="switch",
        default=False,
    )
    tracker: str | None = option("--tracker", "tensorboard, wandb or none.", default=None)
    init_from: Path | None = option(
        "--init-from", "Start from the weights of a model pack, checkpoint or last.pt.", kind="path", default=None
    )
    latent: Path | None = option(
        "--latent", "Learn the latent images of an autoencoder, of `train autoencoder`.", kind="path", default=None
    )
    allow_leakage: bool = option(
        "--allow-leakage", "Continue although held-out lesions are also in training.", kind="switch", default=False
    )
    resume: bool = option("--resume", "Continue the run in --output.", kind="switch", default=False)

    def plan(self) -> DiffusionPlan:
        """Put the settings together; a continued run begins with its own.

        Raises
        ------
        UsageError
            If something is missing, a setting is unknown or impossible, or the run to go on with is of another kind.
        InputRefusedError
            If there is no run to go on with.
        """
        from diffusion.config import DiffusionConfig
        from training.settings import load_settings, parse_assignments

        saved, settings = self._saved()
        data = self.data or _path(saved.get("data"))
        if data is None:
            raise UsageError(
                Message("There are no training photographs."), remedy=Message("Name their folder with --data.")
            )
        init_from = self.init_from or _path(saved.get("init_from"))
        flags = {name: value for name in _SETTINGS if (value := getattr(self, name)) is not None}
        config = load_settings(
            DiffusionConfig,
            file=self.file,
            preset={**settings, **self._preset(warm=init_from is not None)},
            overrides={**parse_assignments(self.assignments), **flags},
        )
        return DiffusionPlan(config, data, self.output, self.resume, init_from, self.allow_leakage)

    def _saved(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Return what is known of the run that goes on, and its settings; nothing of a new one."""
        from training.run_folder import read_run_config, read_run_settings

        if not self.resume:
            return {}, {}
        if self.output is None:
            raise UsageError(
                Message("--resume needs the folder of the run."), remedy=Message("Name its folder with --output.")
            )
        return read_run_config(self.output), read_run_settings(self.output, KIND)

    def _preset(self, *, warm: bool) -> Mapping[str, Any]:
        if self.latent is not None:
            return self._latent_preset(self.latent)
        values = PRESETS[self.preset] if self.preset else {}
        if self.per_class:
            values = one_network_a_class(values)
        # weights that come from elsewhere know colours and shapes already
        return {**values, "half_size_share": 0.0} if warm else values

    def _latent_preset(self, autoencoder: Path) -> Mapping[str, Any]:
        named = self.preset or ("" if self.resume else "starter")  # a continued run has its own settings
        if named not in ("", *LATENT_PRESETS) or self.per_class:
            raise UsageError(
                Message("The predecessor's networks generate pixels."),
                remedy=Message("Leave out --latent, or choose --preset {names}.", names=" or ".join(LATENT_PRESETS)),
            )
        return {**LATENT_PRESETS.get(named, {}), "autoencoder": autoencoder}


def _path(text: object) -> Path | None:
    return Path(text) if isinstance(text, str) else None
