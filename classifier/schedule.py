"""How learning rates and the moving average of the weights develop over a run."""

from __future__ import annotations

from typing import Any, Final, Protocol

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.optim.swa_utils import PARAM_LIST, AveragedModel

from classifier.config import ClassifierConfig
from training.runtime import cosine_rate

PLATEAU_FACTOR: Final = 0.5
PLATEAU_FLOOR: Final = 1e-7
PLATEAU_PATIENCE: Final = 10
"""Epochs for which `schedule = plateau` waits twice over, where no patience for early stopping is set."""


class Schedule(Protocol):
    """Sets the learning rate of every parameter group."""

    def before_step(self, progress: float) -> None:
        """Prepare the next step; `progress` is the used part of the budget, 0..1."""

    def after_epoch(self, score: float) -> None:
        """Learn the validation score of an epoch."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a continuation needs."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from `state_dict`."""


class Cosine:
    """Every group follows a warm-up and half a cosine from its own peak."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer

    def before_step(self, progress: float) -> None:
        """Set the rates for this part of the budget."""
        for group in self._optimizer.param_groups:
            group["lr"] = cosine_rate(progress, group["peak"])

    def after_epoch(self, score: float) -> None:
        """Do nothing: the course is fixed."""

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: the budget is all there is to know."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Do nothing."""


class Plateau:
    """Every group's rate is halved when the score has not improved for half the patience of early stopping."""

    def __init__(self, optimizer: Optimizer, patience: int) -> None:
        self._plateau = ReduceLROnPlateau(
            optimizer, mode="max", factor=PLATEAU_FACTOR, patience=patience // 2, min_lr=PLATEAU_FLOOR
        )

    def before_step(self, progress: float) -> None:
        """Do nothing: rates change between epochs only."""

    def after_epoch(self, score: float) -> None:
        """Halve the rates if the score stands still."""
        self._plateau.step(score)

    def state_dict(self) -> dict[str, Any]:
        """Return the best score and the epochs since."""
        state: dict[str, Any] = self._plateau.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from `state_dict`; raises ValueError if it is none of a plateau's."""
        own = self.state_dict()
        odd = [name for name in state if name not in own or not _same_type(state[name], own[name])]
        if odd or own.keys() - state.keys():
            raise ValueError(f"the schedule has another {', '.join(map(str, odd[:3])) or 'form'}")
        self._plateau.load_state_dict(state)


def _same_type(first: object, second: object) -> bool:
    numbers = [isinstance(value, int | float) and not isinstance(value, bool) for value in (first, second)]
    return all(numbers) or type(first) is type(second)


def build_schedule(config: ClassifierConfig, optimizer: Optimizer) -> Schedule:
    """Return the schedule that the settings name."""
    if config.schedule == "plateau":
        return Plateau(optimizer, config.early_stopping_patience or PLATEAU_PATIENCE)
    return Cosine(optimizer)


def average_weights(net: nn.Module, decay: float) -> AveragedModel:
    """Return a copy of `net` that follows it as an exponential moving average, batch-norm statistics included.

    After n updates the decay is min(`decay`, (1 + n) / (10 + n)), so that a short run is not dominated by its random
    beginning.
    """

    def follow(averages: PARAM_LIST, currents: PARAM_LIST, updates: Tensor | int) -> None:
        count = int(updates)
        share = 1 - min(decay, (1 + count) / (10 + count))
        for average, current in zip(averages, currents, strict=True):
            if average.is_floating_point():
                average.lerp_(current, share)
            else:  # batch norm's counter
                average.copy_(current)

    return AveragedModel(net, multi_avg_fn=follow, use_buffers=True)
