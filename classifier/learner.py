"""A network with everything that changes it: optimiser, schedule, moving average, frozen parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from classifier.batches import Batch
from classifier.config import ClassifierConfig
from classifier.freezing import Freezer, extra_group, parameter_groups
from classifier.masks import mask_loss
from classifier.model import TrainedNetwork, normalise
from classifier.pretrained import load_pretrained
from classifier.schedule import average_weights, build_schedule
from core.models.classification.architectures import ARCHITECTURES
from core.models.classification.loading import Triple
from core.taxonomy import CLASSES
from training.resuming import restore_optimizer
from training.runtime import resolve_precision

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
