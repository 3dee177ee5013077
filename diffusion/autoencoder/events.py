"""What an autoencoder's training tells while it runs; every count is in training images, repetitions included.

How it begins and each step are told as by a generator's training (`diffusion.events`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from core.events import INTERRUPTED, Event
from diffusion.events import TrainingStatus


@dataclass(frozen=True, slots=True)
class Reconstructed(Event):
    """The moving average was looked at: photographs of held-out lesions and what it makes of them.

    Attributes
    ----------
    psnr
        Mean peak signal-to-noise ratio in dB.
    """

    name: ClassVar[str] = "reconstructed"
    images: int
    psnr: float
    sheet: Path


@dataclass(frozen=True, slots=True)
class ReconstructionMeasured(Event):
    """The ceiling of everything that is made from this autoencoder's latents was measured.

    Attributes
    ----------
    sentence
        The result in plain words.
    """

    name: ClassVar[str] = "measured"
    sentence: str
    file: Path


@dataclass(frozen=True, slots=True)
class AutoencoderFinished(Event):
    """The end of a sitting; `model` is what `train diffusion --latent` takes."""

    name: ClassVar[str] = "finished"
    ends: ClassVar[bool] = True
    status: TrainingStatus
    output: Path
    model: Path
    images: int
    seconds: float

    @property
    def exit_code(self) -> int:
        """That of an interruption, if it was stopped."""
        return INTERRUPTED if self.status == "stopped" else 0
