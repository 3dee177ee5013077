"""The networks that classifier weights are read into, by the name that `classifier.json` gives them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from torch import nn
from torchvision.models import resnet18

RESNET18: Final = "resnet18"


@dataclass(frozen=True, slots=True)
class Architecture:
    """How to build a network.

    Attributes
    ----------
    build
        Maps the number of classes to the network with fresh random weights.
    head
        Path of the linear layer that gives the logits.
    """

    name: str
    build: Callable[[int], nn.Module]
    head: str = "fc"

    def head_of(self, net: nn.Module) -> nn.Linear:
        """Return the linear layer that gives the logits."""
        head = net.get_submodule(self.head)
        if not isinstance(head, nn.Linear):
            raise TypeError(f"the head of {self.name} must be linear, not {type(head).__name__}")
        return head


def _resnet18(classes: int) -> nn.Module:
    net: nn.Module = resnet18(weights=None, num_classes=classes)
    return net


class SmallCNN(nn.Sequential):
    """Three strided convolutions and a linear head: a few thousand weights, for experiments and quick checks."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        channels = (3, 8, 16, 32)
        for index, (before, after) in enumerate(itertools.pairwise(channels)):
            self.add_module(f"conv{index}", nn.Conv2d(before, after, 3, stride=2, padding=1))
            self.add_module(f"relu{index}", nn.ReLU())
        self.add_module("pool", nn.AdaptiveAvgPool2d(1))
        self.add_module("flatten", nn.Flatten())
        self.add_module("fc", nn.Linear(channels[-1], classes))


ARCHITECTURES: Final[dict[str, Architecture]] = {
    architecture.name: architecture
    for architecture in (Architecture(RESNET18, _resnet18), Architecture("small_cnn", SmallCNN))
}
"""Every network that `classifier.json` may name."""
