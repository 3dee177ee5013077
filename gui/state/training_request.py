"""What a training is asked to be, and the command lines that begin it or go on with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from gui.i18n import mark

Kind = Literal["diffusion", "classifier"]

PRESETS: Final[Mapping[Kind, Mapping[str, str]]] = {
    "diffusion": {
        "quick": mark("Minutes on a processor: shows the way, gives no good model."),
        "starter": mark("The network that ships with the program; a day on a processor, an hour on a graphics card."),
        "gpu": mark("A larger network for a graphics card and some hours."),
        "predecessor": mark("The recipe of the original program: one network for each class."),
    },
    "classifier": {
        "quick": mark("Minutes on a processor: shows the way, gives no good model."),
        "starter": mark("The classifier that ships with the program."),
        "gpu": mark("A large network that begins with ImageNet weights, for a graphics card; downloads them once."),
    },
}
"""The presets of `train`, and what each is for."""


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What the window asks of `train`.

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


def train_arguments(request: TrainingRequest, output: Path) -> list[str]:
    """Return the arguments of `python main.py` that begin a run in a folder."""
    arguments = ["train", request.kind, "--data", str(request.data), "--output", str(output)]
    arguments += ["--preset", request.preset, "--device", request.device]
    arguments += ["--max-minutes", str(request.minutes)] if request.minutes else []
    arguments += ["--classes", ",".join(request.classes)] if request.classes and request.kind == "diffusion" else []
    # the preset learns where lesions are as a second task, which takes masks
    wants_masks = request.kind == "classifier" and request.preset == "starter"
    return [*arguments, "--set", "mask_weight=0"] if wants_masks and not request.has_masks else arguments


def resume_arguments(kind: str, run: Path, data: str) -> list[str]:
    """Return the arguments of `python main.py` that go on with a run.

    Parameters
    ----------
    data
        The photographs that the run began with, as its configuration says.
    """
    return ["train", kind, "--data", data, "--output", str(run), "--resume"]
