"""Which part of a network a scenario trains, and how fast each part of it may change."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from torch import nn

from classifier.config import ClassifierConfig
from core.models.classification.architectures import Architecture

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
