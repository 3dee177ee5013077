"""The DenseNets of HAM10000_CNN: torchvision's trunk under two hidden layers, so that its Keras weights can be used."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from torch import nn
from torchvision import models

HIDDEN: Final = (512, 256)
DROPOUT: Final = 0.5


class HamHead(nn.Sequential):
    """Dense, ReLU, batch norm and dropout, twice; then the linear layer `output`.

    Parameters
    ----------
    features
        Length of the trunk's vector.
    classes
        Number of logits.
    """

    def __init__(self, features: int, classes: int) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for index, width in enumerate(HIDDEN):
            layers[f"dense{index}"] = nn.Linear(features, width)
            layers[f"relu{index}"] = nn.ReLU()
            layers[f"norm{index}"] = nn.BatchNorm1d(width)
            layers[f"dropout{index}"] = nn.Dropout(DROPOUT)
            features = width
        layers["output"] = nn.Linear(features, classes)
        super().__init__(layers)


def ham_densenet(name: str) -> Callable[[int], nn.Module]:
    """Return what builds torchvision's DenseNet of that name with ISICGenerator's head and a number of classes."""

    def build(classes: int) -> nn.Module:
        net = models.get_model(name, weights=None, num_classes=1)
        net.classifier = HamHead(net.classifier.in_features, classes)
        return net

    return build
