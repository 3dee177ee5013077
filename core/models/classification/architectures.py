"""The networks that classifier weights are read into, by the name that `classifier.json` gives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from torch import nn
from torchvision import models

from core.models.classification.efficientnet_lite import efficientnet_lite0
from core.models.classification.ham_densenet import ham_densenet
from core.models.classification.small_nets import SimpleCNN, SmallCNN

RESNET18: Final = "resnet18"
Stages = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Architecture:
    """How to build a network, and what its parts are called.

    Attributes
    ----------
    build
        Maps the number of classes to the network with fresh random weights.
    stages
        Module paths of the trunk's blocks from the input to the output, grouped into stages of one resolution;
        together they hold every parameter but those of the head and of hidden layers right before it.
    features
        Path of the module whose output is the last feature map (N, C, h, w).
    finer
        Path of the deepest module whose output is a feature map of twice that resolution or more.
    head
        Path of the linear layer that gives the logits.
    """

    name: str
    build: Callable[[int], nn.Module]
    stages: Stages
    features: str
    finer: str
    head: str = "fc"

    @property
    def blocks(self) -> tuple[str, ...]:
        """Module paths of the trunk's blocks from the input to the output."""
        return tuple(block for stage in self.stages for block in stage)

    def head_of(self, net: nn.Module) -> nn.Linear:
        """Return the linear layer that gives the logits."""
        head = net.get_submodule(self.head)
        if not isinstance(head, nn.Linear):
            raise TypeError(f"the head of {self.name} must be linear, not {type(head).__name__}")
        return head


def _torchvision(name: str) -> Callable[[int], nn.Module]:
    def build(classes: int) -> nn.Module:
        net: nn.Module = models.get_model(name, weights=None, num_classes=classes)
        return net

    return build


def _resnet(name: str, sizes: Sequence[int]) -> Architecture:
    layers = (tuple(f"layer{i}.{j}" for j in range(size)) for i, size in enumerate(sizes, 1))
    return Architecture(name, _torchvision(name), (("conv1", "bn1"), *layers), features="layer4", finer="layer3")


def _densenet(name: str, sizes: Sequence[int]) -> Architecture:
    return _dense(name, _torchvision(name), sizes, "classifier")


def _ham_densenet(name: str, sizes: Sequence[int]) -> Architecture:
    return _dense(f"{name}_ham", ham_densenet(name), sizes, "classifier.output")


def _dense(name: str, build: Callable[[int], nn.Module], sizes: Sequence[int], head: str) -> Architecture:
    return Architecture(name, build, _dense_stages(sizes), features="features", finer="features.denseblock3", head=head)


def _dense_stages(sizes: Sequence[int]) -> Stages:
    """Return the stem and the four dense blocks, each with the transition before it, the last with the final norm."""
    stages = [("features.conv0", "features.norm0")]
    for i, size in enumerate(sizes, 1):
        before = (f"features.transition{i - 1}",) if i > 1 else ()
        after = ("features.norm5",) if i == len(sizes) else ()
        stages.append((*before, *(f"features.denseblock{i}.denselayer{j}" for j in range(1, size + 1)), *after))
    return tuple(stages)


_DENSENET121: Final = (6, 12, 24, 16)
_DENSENET201: Final = (6, 12, 48, 32)
_LITE0_STAGES: Final[Stages] = (
    ("stem",),
    ("blocks.0",),
    ("blocks.1", "blocks.2"),
    ("blocks.3", "blocks.4"),
    ("blocks.5", "blocks.6", "blocks.7"),
    ("blocks.8", "blocks.9", "blocks.10"),
    ("blocks.11", "blocks.12", "blocks.13", "blocks.14"),
    ("blocks.15", "head"),
)

_ALL: Final = (
    _resnet(RESNET18, (2, 2, 2, 2)),
    _resnet("resnet50", (3, 4, 6, 3)),
    _densenet("densenet121", _DENSENET121),
    _densenet("densenet201", _DENSENET201),
    _ham_densenet("densenet121", _DENSENET121),
    _ham_densenet("densenet201", _DENSENET201),
    Architecture(
        "efficientnet_lite0", efficientnet_lite0, _LITE0_STAGES, features="head", finer="blocks.10", head="classifier"
    ),
    Architecture("small_cnn", SmallCNN, (("conv0",), ("conv1",), ("conv2",)), features="relu2", finer="relu1"),
    Architecture(
        "simple_cnn",
        SimpleCNN,
        (("conv0", "norm0"), ("conv1", "norm1"), ("conv2", "norm2"), ("dense",)),
        features="relu2",
        finer="relu1",
    ),
)

ARCHITECTURES: Final[dict[str, Architecture]] = {architecture.name: architecture for architecture in _ALL}
"""Every network that `classifier.json` may name."""
