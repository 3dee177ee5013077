"""A trained classifier as training leaves it: the weights of the best epoch, and how they came about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from classifier.config import ClassifierConfig
from core.models.classification.architectures import ARCHITECTURES
from core.models.classification.loading import Triple
from core.taxonomy import CLASSES
from training.runtime import counted, load_checkpoint, restoring, save_checkpoint

BEST: Final = "best.pt"
"""File in a run's folder that holds the best epoch so far."""


@dataclass(frozen=True, eq=False)
class Trained:
    """The best epoch of a run.

    Attributes
    ----------
    net
        In evaluation mode, fp32.
    mean, std
        Of the inputs on the 0..1 scale.
    epoch, images_seen, seconds
        When it was reached; seconds are wall-clock time over all sittings.
    best
        Balanced accuracy on the validation lesions, which chose this epoch: an optimistic number.
    origin
        Where the first weights came from, as in "It began {origin}."
    """

    config: ClassifierConfig
    net: nn.Module
    mean: Triple
    std: Triple
    epoch: int
    images_seen: int
    seconds: float
    best: float
    origin: str

    def save(self, folder: Path) -> None:
        """Write `best.pt`, completely or not at all."""
        state: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN}
        state |= {"config": self.config.model_dump(mode="json"), "net": self.net.state_dict()}
        save_checkpoint(folder / BEST, state)

    @classmethod
    def load(cls, folder: Path) -> Trained:
        """Read `best.pt` onto the CPU.

        Raises
        ------
        ModelMissingError
            If there is none.
        ModelRefusedError
            If it is damaged, or something in it does not fit.
        """
        path = folder / BEST
        state = load_checkpoint(path, torch.device("cpu"))
        with restoring(path):
            config = ClassifierConfig.model_validate(state["config"])
            net = ARCHITECTURES[config.architecture].build(len(CLASSES))
            net.load_state_dict(state["net"])
            counted(state, "epoch", "images_seen", "seconds", "best")
            return cls(config, net.eval(), **{name: state[name] for name in _PLAIN})


_PLAIN: Final = ("mean", "std", "epoch", "images_seen", "seconds", "best", "origin")
