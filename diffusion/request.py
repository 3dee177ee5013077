"""What `train diffusion` is asked for; nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from core.errors import UsageError
from core.jobs.options import option
from core.jobs.registry import job
from core.message import Message
from diffusion.presets import LATENT_PRESETS, PRESETS, one_network_a_class
from training.request import GeneratorTrainingRequest, TrainingPlan

if TYPE_CHECKING:
    from diffusion.config import DiffusionConfig

KIND: Final = "diffusion"


@job("diffusion.run:run_training")
@dataclass(frozen=True, slots=True)
class TrainDiffusionRequest(GeneratorTrainingRequest):
    """A generator's training. What is None is as the file says, or the preset, or the run that goes on: see `plan`."""

    command: ClassVar[tuple[str, ...]] = ("train", KIND)
    kind: ClassVar[str] = KIND
    settings: ClassVar[tuple[str, ...]] = (*GeneratorTrainingRequest.settings, "classes")
    preset: str | None = option(
        "--preset", "Starting point; file and flags win over it.", kind="choice", choices=tuple(PRESETS), default=None
    )
    batch_size: int | None = option("--batch-size", "Images per step, over all processes.", kind="whole", default=None)
    classes: str | None = option(
        "--classes", "Classes to train.", metavar="MEL,NV,...", default=None, default_words="all seven"
    )
    per_class: bool = option(
        "--per-class",
        "Train one network per class, in the architecture of ISICGenerator.",
        kind="switch",
        default=False,
    )
    latent: Path | None = option(
        "--latent",
        "Train on the latent images of this autoencoder, from `train autoencoder`.",
        kind="path",
        default=None,
    )

    def plan(self) -> TrainingPlan[DiffusionConfig]:
        """Put the settings together; see `GeneratorTrainingRequest.planned`."""
        from diffusion.config import DiffusionConfig

        return self.planned(DiffusionConfig)

    def preset_values(self, *, warm: bool) -> Mapping[str, Any]:
        """Return the settings of the preset; see `GeneratorTrainingRequest.preset_values`."""
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
