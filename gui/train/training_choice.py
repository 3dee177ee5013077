"""What a training is chosen to be, and the jobs that begin it or go on with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from classifier.request import TrainClassifierRequest
from diffusion.request import TrainDiffusionRequest
from gui.i18n import mark

Kind = Literal["diffusion", "classifier"]
TrainingRequest = TrainDiffusionRequest | TrainClassifierRequest

PRESETS: Final[Mapping[Kind, Mapping[str, str]]] = {
    "diffusion": {
        "quick": mark("Minutes on a CPU: a demonstration, not a usable model."),
        "starter": mark("The network that ships with the program; a day on a CPU, an hour on a GPU."),
        "gpu": mark("A larger network for a GPU and some hours."),
        "predecessor": mark("The method of ISICGenerator: one network per class."),
    },
    "classifier": {
        "quick": mark("Minutes on a CPU: a demonstration, not a usable model."),
        "starter": mark("The classifier that ships with the program."),
        "gpu": mark("A large network that starts from ImageNet weights, for a GPU; downloads them once."),
    },
}
"""The presets of `train`, and what each is for."""


@dataclass(frozen=True, slots=True)
class TrainingChoice:
    """What a person chooses in the window.

    Attributes
    ----------
    data
        Folder or table of photographs; None until one is chosen.
    minutes
        Longest time in minutes; 0 leaves that to the preset.
    root
        Folder that holds the runs.
    has_masks
        Whether lesion masks lie beside the photographs.
    classes
        The classes that a generator can learn because there are photographs of them; empty for all.
    """

    root: Path
    kind: Kind = "diffusion"
    data: Path | None = None
    preset: str = "quick"
    device: str = "auto"
    minutes: int = 0
    has_masks: bool = False
    classes: tuple[str, ...] = ()

    def new_run(self, now: datetime) -> Path:
        """Return the folder of a run that begins now."""
        return self.root / f"{self.preset}-{self.kind}_{now:%Y%m%d_%H%M%S}"

    def job(self, output: Path) -> TrainingRequest:
        """Return the job that begins a run in a folder; photographs must have been chosen."""
        assert self.data is not None
        minutes = self.minutes or None
        if self.kind == "diffusion":
            classes = ",".join(self.classes) or None
            return TrainDiffusionRequest(
                self.data, output, preset=self.preset, max_minutes=minutes, device=self.device, classes=classes
            )
        # the preset learns where lesions are as a second task, which takes masks
        is_without = self.preset == "starter" and not self.has_masks
        return TrainClassifierRequest(
            self.data,
            output,
            preset=self.preset,
            assignments=("mask_weight=0",) if is_without else (),
            max_minutes=minutes,
            device=self.device,
        )


def resumed(kind: str, run: Path, data: Path) -> TrainingRequest:
    """Return the job that goes on with a run.

    Parameters
    ----------
    data
        The photographs that the run began with, as its configuration says.
    """
    request = TrainDiffusionRequest if kind == "diffusion" else TrainClassifierRequest
    return request(data, run, resume=True)
