"""A network with everything that changes it: optimiser, schedule, moving average, frozen parts.

A scenario says which part of a network is trained, and how fast each part of it may change; learning rates and the
moving average develop over a run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.optim.swa_utils import PARAM_LIST, AveragedModel

from classifier.batches import Batch
from classifier.config import ClassifierConfig
from classifier.data import mask_loss
from classifier.model import TrainedNetwork, normalise
from classifier.published import load_pretrained
from core.models.classification.architectures import ARCHITECTURES, Architecture
from core.models.classification.loading import Triple
from core.taxonomy import CLASSES
from training.runtime import cosine_rate, resolve_precision, restore_optimizer

ParameterGroup = dict[str, Any]


def trained_blocks(architecture: Architecture, config: ClassifierConfig) -> tuple[str, ...]:
    """Return the trunk's blocks that the scenario trains, from the input to the output.

    `partial_unfreeze` trains the last `unfreeze_percent` of the blocks, rounded up.
    """
    blocks = architecture.blocks
    if config.scenario == "full_training":
        return blocks
    if config.scenario == "head_only":
        return ()
    return blocks[-math.ceil(len(blocks) * config.unfreeze_percent / 100) :]


class Freezer:
    """Keeps the blocks that a scenario does not train as they are, weights and batch-norm statistics."""

    def __init__(self, net: nn.Module, architecture: Architecture, config: ClassifierConfig) -> None:
        trained = set(trained_blocks(architecture, config))
        self._net = net
        self._frozen = [net.get_submodule(block) for block in architecture.blocks if block not in trained]
        for module in self._frozen:
            module.requires_grad_(False)

    def train(self) -> None:
        """Put the network into training mode, but for its frozen blocks, whose statistics must not follow the data."""
        self._net.train()
        for module in self._frozen:
            module.eval()


def parameter_groups(net: nn.Module, architecture: Architecture, config: ClassifierConfig) -> list[ParameterGroup]:
    """Return AdamW's groups of trainable parameters, each with its peak learning rate under `lr` and `peak`.

    A stage of the trunk has `rate_decay` times the rate of the stage after it, the head a rate of its own. Biases and
    normalisation weights do not decay.
    """
    rates = _rates(architecture, config)
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in net.named_parameters():
        if parameter.requires_grad:
            rate = next((rate for block, rate in rates.items() if name.startswith(f"{block}.")), config.head_rate)
            groups.setdefault((rate, parameter.ndim > 1), []).append(parameter)
    return [_group(members, rate, config, decays) for (rate, decays), members in groups.items()]


def extra_group(parameters: Iterable[nn.Parameter], config: ClassifierConfig) -> ParameterGroup:
    """Return the group of a head that is only there for training."""
    return _group(list(parameters), config.head_rate, config, decays=False)


def _rates(architecture: Architecture, config: ClassifierConfig) -> dict[str, float]:
    return {
        block: config.peak_rate * config.rate_decay**distance
        for distance, stage in enumerate(reversed(architecture.stages))
        for block in stage
    }


def _group(members: list[nn.Parameter], rate: float, config: ClassifierConfig, decays: bool) -> ParameterGroup:
    decay = config.weight_decay if decays else 0.0
    return {"params": members, "lr": rate, "peak": rate, "weight_decay": decay}


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


FROM_SCRATCH: Final = "from random weights"


@dataclass(frozen=True, eq=False)
class Start:
    """What a run begins with.

    Attributes
    ----------
    net
        On the CPU.
    mean, std
        Of the inputs, as the network's weights expect them.
    origin
        Where the weights come from, as in "It began {origin}."
    """

    net: nn.Module
    mean: Triple
    std: Triple
    origin: str


def begin(config: ClassifierConfig, statistics: tuple[Triple, Triple]) -> Start:
    """Build the network with the seed's random weights, and load pretrained ones into its trunk if they are asked for.

    Parameters
    ----------
    statistics
        Mean and standard deviation of the training images, used where nothing is pretrained.

    Raises
    ------
    ModelRefusedError, UsageError
        If the pretrained weights cannot be had or do not fit.
    """
    torch.manual_seed(config.seed)
    net = ARCHITECTURES[config.architecture].build(len(CLASSES))
    if not config.is_pretrained:
        return Start(net, *statistics, FROM_SCRATCH)
    origin = load_pretrained(net, config.architecture, config.pretrained, config.weights_sha256)
    head = ARCHITECTURES[config.architecture].head_of(net)
    nn.init.zeros_(head.weight)  # on trained features a random head begins far above the loss of chance
    nn.init.zeros_(head.bias)
    return Start(net, origin.mean, origin.std, origin.clause)


class Learner:
    """Learns one batch after another.

    Parameters
    ----------
    weights
        Of each class in the loss, (K,), or None.
    """

    def __init__(self, config: ClassifierConfig, start: Start, weights: Tensor | None, device: torch.device) -> None:
        architecture = ARCHITECTURES[config.architecture]
        self._config, self._device, self._start = config, device, start
        self._weights = None if weights is None else weights.to(device)
        self.dtype = _precision(config.precision, start.net, device)
        self.net = start.net.to(device).to(memory_format=torch.channels_last)
        self._average = average_weights(self.net, config.ema_decay) if config.ema_decay else None
        self.model = TrainedNetwork(
            self.net, architecture, dropout=config.dropout, draws_masks=config.mask_weight > 0
        ).to(device)
        self._freezer = Freezer(self.net, architecture, config)
        groups = parameter_groups(self.net, architecture, config)
        if self.model.mask_head is not None:
            groups.append(extra_group(self.model.mask_head.parameters(), config))
        self.optimizer = torch.optim.AdamW(groups, fused=True)
        self.schedule = build_schedule(config, self.optimizer)

    @property
    def best_net(self) -> nn.Module:
        """The network to measure and to keep: the moving average if there is one."""
        net: nn.Module = self.net if self._average is None else self._average.module
        return net

    @property
    def rate(self) -> float:
        """The highest current learning rate of all parts."""
        return max(float(group["lr"]) for group in self.optimizer.param_groups)

    def train(self) -> None:
        """Get ready to learn, after a measurement or at the start."""
        self._freezer.train()

    def loss(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss, a scalar, and the logits (N, K) of a batch."""
        inputs = normalise(batch.pixels, self._start.mean, self._start.std)
        with torch.autocast(self._device.type, dtype=self.dtype, enabled=self.dtype is not None):
            logits, drawn = self.model(inputs.contiguous(memory_format=torch.channels_last))
        smoothing = self._config.label_smoothing
        loss = functional.cross_entropy(logits.float(), batch.targets, self._weights, label_smoothing=smoothing)
        if drawn is not None and batch.masks is not None:
            loss = loss + self._config.mask_weight * mask_loss(drawn.float(), batch.masks)
        return loss, logits.detach().float()

    def step(self, loss: Tensor) -> None:
        """Make one optimiser step, and let the moving average follow."""
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        if self._average is not None:
            self._average.update_parameters(self.net)

    def state_dict(self) -> dict[str, Any]:
        """Return everything that an equal continuation needs."""
        return {
            "model": self.model.state_dict(),
            "average": None if self._average is None else self._average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from `state_dict` of the same settings."""
        self.model.load_state_dict(state["model"])
        if self._average is not None:
            self._average.load_state_dict(state["average"])
        restore_optimizer(self.optimizer, state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])


def _precision(precision: str, net: nn.Module, device: torch.device) -> torch.dtype | None:
    """Return the autocast dtype, None for fp32; `auto` avoids bf16 where convolutions of single channels are slower."""
    grouped = any(isinstance(module, nn.Conv2d) and module.groups > 1 for module in net.modules())
    return None if precision == "auto" and device.type == "cpu" and grouped else resolve_precision(precision, device)
