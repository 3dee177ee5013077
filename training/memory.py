"""What a training will take of memory, from the shapes of its tensors alone: nothing is allocated or computed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

BYTES_PER_PARAMETER: Final = 20
"""fp32: the weight, its gradient, AdamW's two moments, and the moving average."""


@dataclass(frozen=True, slots=True)
class Memory:
    """An estimate.

    Attributes
    ----------
    parameters
        Number of weights.
    state_bytes
        Of weights, gradients, optimiser and moving average.
    activation_bytes
        Of what one step keeps for the backward pass: the outputs of all layers.
    """

    parameters: int
    state_bytes: int
    activation_bytes: int

    @property
    def total_bytes(self) -> int:
        """Both together; the photographs and the libraries come on top."""
        return self.state_bytes + self.activation_bytes


def estimate(build: Callable[[], nn.Module], step: Callable[[nn.Module], Any], value_bytes: int = 4) -> Memory:
    """Return what a network takes in training.

    Parameters
    ----------
    build
        Makes the network; called with torch's meta device, on which tensors have a shape and no content.
    step
        Calls the network on a batch of that device.
    value_bytes
        Of one value of an activation: 4 in fp32, 2 in bf16.
    """
    with torch.device("meta"):
        net = build().train()
        values = _values_kept(net, step)
    parameters = sum(weight.numel() for weight in net.parameters())
    return Memory(parameters, BYTES_PER_PARAMETER * parameters, value_bytes * values)


def _values_kept(net: nn.Module, step: Callable[[nn.Module], Any]) -> int:
    """Return how many values the layers without layers inside put out."""
    counts: list[int] = []

    def count(_module: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            counts.append(output.numel())

    with ExitStack() as hooks:
        for module in net.modules():
            if not any(True for _ in module.children()):
                hooks.callback(module.register_forward_hook(count).remove)
        step(net)
    return sum(counts)
