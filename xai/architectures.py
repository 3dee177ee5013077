"""The networks that classifier weights are read into, by the name that `classifier.json` gives them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final

from torch import nn
from torchvision.models import resnet18

RESNET18: Final = "resnet18"


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


ARCHITECTURES: Final[dict[str, Callable[[int], nn.Module]]] = {RESNET18: _resnet18, "small_cnn": SmallCNN}
"""Each maps the number of classes to a network whose linear head is called `fc`."""
