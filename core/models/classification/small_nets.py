"""Small convolutional networks: one for quick checks, one as a simple reference."""

from __future__ import annotations

import itertools
from typing import Final

from torch import nn


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


class SimpleCNN(nn.Sequential):
    """ISICGenerator's `simple_cnn`: three convolutions with batch norm, two poolings, 128 hidden units."""

    CHANNELS: Final = (32, 64, 128)
    HIDDEN: Final = 128

    def __init__(self, classes: int) -> None:
        super().__init__()
        for index, (before, after) in enumerate(itertools.pairwise((3, *self.CHANNELS))):
            self.add_module(f"conv{index}", nn.Conv2d(before, after, 3, padding=1))
            self.add_module(f"norm{index}", nn.BatchNorm2d(after))
            self.add_module(f"relu{index}", nn.ReLU())
            if after != self.CHANNELS[-1]:
                self.add_module(f"pool{index}", nn.MaxPool2d(2))
        self.add_module("pool", nn.AdaptiveAvgPool2d(1))
        self.add_module("flatten", nn.Flatten())
        self.add_module("dense", nn.Linear(self.CHANNELS[-1], self.HIDDEN))
        self.add_module("relu", nn.ReLU())
        self.add_module("fc", nn.Linear(self.HIDDEN, classes))
