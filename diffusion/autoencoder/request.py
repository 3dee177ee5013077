"""What `train autoencoder` is asked for; nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from core.jobs.options import option
from core.jobs.registry import job
from diffusion.autoencoder.presets import PRESETS
from training.request import GeneratorTrainingRequest, TrainingPlan

if TYPE_CHECKING:
    from diffusion.autoencoder.config import AutoencoderConfig

KIND: Final = "autoencoder"


@job("diffusion.autoencoder.run:run_training")
@dataclass(frozen=True, slots=True)
class TrainAutoencoderRequest(GeneratorTrainingRequest):
    """An autoencoder's training; `plan` says what holds where a field is None."""

    command: ClassVar[tuple[str, ...]] = ("train", KIND)
    kind: ClassVar[str] = KIND
    settings: ClassVar[tuple[str, ...]] = (*GeneratorTrainingRequest.settings, "latent_channels")
    preset: str | None = option(
        "--preset", "Starting point; file and flags win over it.", kind="choice", choices=tuple(PRESETS), default=None
    )
    init_from: Path | None = option(
        "--init-from", "Begin with the weights of an autoencoder's pack or last.pt.", kind="path", default=None
    )
    latent_channels: int | None = option(
        "--latent-channels", "Channels of the latent image.", kind="whole", default=None
    )

    def plan(self) -> TrainingPlan[AutoencoderConfig]:
        """Put the settings together; see `GeneratorTrainingRequest.planned`."""
        from diffusion.autoencoder.config import AutoencoderConfig

        return self.planned(AutoencoderConfig)

    def preset_values(self, *, warm: bool) -> Mapping[str, Any]:
        """Return the settings of the preset; see `GeneratorTrainingRequest.preset_values`."""
        del warm  # an autoencoder learns the same way from any beginning
        return PRESETS[self.preset] if self.preset else {}
