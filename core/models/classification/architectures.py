"""The classifier networks, by the name that `classifier.json` gives them: one entry each, built when it is needed.

A new network is one `Architecture` added to `ARCHITECTURES`, here or in any module that is imported. No library is
imported to name them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.registry import Registry

if TYPE_CHECKING:
    from torch import nn

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

    key: str
    title: str
    hint: str
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
        from torch import nn

        head = net.get_submodule(self.head)
        if not isinstance(head, nn.Linear):
            raise TypeError(f"the head of {self.key} must be linear, not {type(head).__name__}")
        return head


def _torchvision(name: str) -> Callable[[int], nn.Module]:
    def build(classes: int) -> nn.Module:
        from torchvision import models

        net: nn.Module = models.get_model(name, weights=None, num_classes=classes)
        return net

    return build


def _lite0(classes: int) -> nn.Module:
    from core.models.classification.efficientnet_lite import efficientnet_lite0

    return efficientnet_lite0(classes)


def _small_cnn(classes: int) -> nn.Module:
    from core.models.classification.small_nets import SmallCNN

    return SmallCNN(classes)


def _simple_cnn(classes: int) -> nn.Module:
    from core.models.classification.small_nets import SimpleCNN

    return SimpleCNN(classes)


def _ham(name: str) -> Callable[[int], nn.Module]:
    def build(classes: int) -> nn.Module:
        from core.models.classification.ham_densenet import ham_densenet

        return ham_densenet(name)(classes)

    return build


def _resnet(depth: int, sizes: Sequence[int], hint: str) -> Architecture:
    stages = (tuple(f"layer{i}.{j}" for j in range(size)) for i, size in enumerate(sizes, 1))
    name, stem = f"resnet{depth}", ("conv1", "bn1")
    return Architecture(
        name, f"ResNet-{depth}", hint, _torchvision(name), (stem, *stages), features="layer4", finer="layer3"
    )


def _densenet(depth: int, sizes: Sequence[int], hint: str) -> Architecture:
    name = f"densenet{depth}"
    return _dense(name, f"DenseNet-{depth}", hint, _torchvision(name), sizes, "classifier")


def _ham_densenet(depth: int, sizes: Sequence[int]) -> Architecture:
    name, title = f"densenet{depth}_ham", f"DenseNet-{depth} of HAM10000_CNN"
    hint = "DenseNet with the hidden layers of HAM10000_CNN before its head, for that program's files."
    return _dense(name, title, hint, _ham(f"densenet{depth}"), sizes, "classifier.output")


def _dense(
    name: str, title: str, hint: str, build: Callable[[int], nn.Module], sizes: Sequence[int], head: str
) -> Architecture:
    stages = _dense_stages(sizes)
    return Architecture(name, title, hint, build, stages, features="features", finer="features.denseblock3", head=head)


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

ARCHITECTURES: Final[Registry[Architecture]] = Registry("network", "networks")
"""Every network that `classifier.json` may name."""

for _one in (
    _resnet(18, (2, 2, 2, 2), "Residual network (arXiv:1512.03385), 11 million weights; the default."),
    _resnet(34, (3, 4, 6, 3), "Residual network, 21 million weights."),
    _resnet(50, (3, 4, 6, 3), "Residual network of bottleneck blocks, 24 million weights."),
    _resnet(101, (3, 4, 23, 3), "Residual network of bottleneck blocks, 43 million weights."),
    _resnet(152, (3, 8, 36, 3), "Residual network of bottleneck blocks, 58 million weights."),
    _densenet(121, _DENSENET121, "Densely connected network (arXiv:1608.06993), 7 million weights."),
    _densenet(201, _DENSENET201, "Densely connected network, 18 million weights."),
    _ham_densenet(121, _DENSENET121),
    _ham_densenet(201, _DENSENET201),
    Architecture(
        "efficientnet_lite0",
        "EfficientNet-Lite0",
        "Small network without squeeze and excitation; its ImageNet weights come in a Python package.",
        _lite0,
        _LITE0_STAGES,
        features="head",
        finer="blocks.10",
        head="classifier",
    ),
    Architecture(
        "small_cnn",
        "Small CNN",
        "Three convolutions, for trials in seconds.",
        _small_cnn,
        (("conv0",), ("conv1",), ("conv2",)),
        features="relu2",
        finer="relu1",
    ),
    Architecture(
        "simple_cnn",
        "Simple CNN",
        "The small network of HAM10000_CNN, trained from scratch.",
        _simple_cnn,
        (("conv0", "norm0"), ("conv1", "norm1"), ("conv2", "norm2"), ("dense",)),
        features="relu2",
        finer="relu1",
    ),
):
    ARCHITECTURES.add(_one)
