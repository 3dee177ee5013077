"""The feature spaces in which sets are compared; two of them, because only what both say deserves trust.

=================  =====================================================================================================
space              what distances in it may be called
=================  =====================================================================================================
own classifier     ``HAM(efficientnet_lite0@4ff3821d)``: always there, knows skin lesions, comparable only with itself
pixels             ``pixels 32x32``: colour and layout alone; the second space where no weights are given
ImageNet           ``ImageNet(resnet18@f37072fd)``: torchvision's published weights, told by their SHA-256
Inception          ``Inception (TF)``: the weights ported from TensorFlow; only its distances are a FID and a KID
=================  =====================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from core.errors import ModelRefusedError
from core.files.opening import sha256_of
from core.message import Message
from core.models.classification.loading import LoadedNetwork
from core.models.safe_weights import read_weights
from measures.features import PIXELS, Extractor, extractor_of

INCEPTION_SHA: Final = "6726825d"
INCEPTION_NAME: Final = "Inception (TF)"
IMAGENET_SHAS: Final[Mapping[str, str]] = {
    "f37072fd": "resnet18",
    "0676ba61": "resnet50",
    "11ad3fa6": "resnet50",
    "a639ec97": "densenet121",
}
"""First digits of the SHA-256 of torchvision's published files, which their names carry."""

_MEAN: Final = (0.485, 0.456, 0.406)
_DEVIATION: Final = (0.229, 0.224, 0.225)
_IMAGENET_SIDE: Final = 224
_LARGEST: Final = 1 << 30


@dataclass(frozen=True)
class Space:
    """Features, with what may be said of distances in them.

    Attributes
    ----------
    is_inception
        Whether the Frechet distance in it may be called FID, and the kernel distance KID.
    caution
        What a reader should know about the space, one sentence.
    """

    extractor: Extractor
    is_inception: bool
    caution: Message

    @property
    def name(self) -> str:
        """What distances are called by."""
        return self.extractor.name

    @property
    def kernel_name(self) -> str:
        """What the kernel distance is called."""
        return kernel_name(self.name)

    @property
    def frechet_name(self) -> str:
        """What the Frechet distance is called."""
        return "FID" if self.is_inception else "FD"


def kernel_name(space: str) -> str:
    """Return what the kernel distance in a space is called: KID is that of Inception's features alone."""
    return "KID" if space == INCEPTION_NAME else "kernel distance"


def make_spaces(network: LoadedNetwork | None, weights: Path | None, device: torch.device) -> tuple[Space, ...]:
    """Return the spaces of an evaluation, the one that knows skin lesions first.

    Parameters
    ----------
    network
        A classifier that had no part in generating; None if there is none.
    weights
        A file of published weights for the second space.

    Raises
    ------
    ModelRefusedError
        If the file is none of those that are known.
    """
    own = [] if network is None else [Space(extractor_of(network), False, _ABOUT_OWN)]
    second = Space(PIXELS, False, _ABOUT_PIXELS) if weights is None else _published(weights, device)
    return (*own, second)


def _published(weights: Path, device: torch.device) -> Space:
    if not weights.is_file():
        raise ModelRefusedError(
            Message("There is no file {path}.", path=weights), remedy=Message("Check the path."), path=weights
        )
    sha256 = sha256_of(weights)
    if sha256.startswith(INCEPTION_SHA):
        return Space(Extractor(INCEPTION_NAME, _inception(weights, device)), True, _ABOUT_INCEPTION)
    name = next((name for start, name in IMAGENET_SHAS.items() if sha256.startswith(start)), None)
    if name is None:
        raise ModelRefusedError(
            Message("{path} holds no known weights (its SHA-256 begins {sha}).", path=weights, sha=sha256[:8]),
            remedy=Message(
                "Give weights-inception-2015-12-05-6726825d.pth of torch-fidelity, or torchvision's resnet18, resnet50 "
                "or densenet121 for ImageNet, unchanged."
            ),
            path=weights,
        )
    return Space(Extractor(f"ImageNet({name}@{sha256[:8]})", _imagenet(name, weights, device)), False, _ABOUT_IMAGENET)


def _imagenet(name: str, weights: Path, device: torch.device) -> Callable[[Tensor], Tensor]:
    import torchvision

    net: Any = getattr(torchvision.models, name)(weights=None)
    tensors = read_weights(weights, max_bytes=_LARGEST)
    renamed = {_new_name(key): value for key, value in tensors.items()}
    net.load_state_dict(renamed)
    setattr(net, "classifier" if name.startswith("densenet") else "fc", nn.Identity())
    net = net.eval().to(device)
    mean, deviation = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (_MEAN, _DEVIATION))

    def features(pixels: Tensor) -> Tensor:
        size = (_IMAGENET_SIDE, _IMAGENET_SIDE)
        larger = nn.functional.interpolate(pixels.to(device), size, mode="bilinear", antialias=True)
        answer: Tensor = net((larger - mean) / deviation)
        return answer

    return features


def _new_name(key: str) -> str:
    """Return the name that torchvision's DenseNet gives a tensor today; its published file has the old ones."""
    for part in ("norm", "relu", "conv"):
        for number in ("1", "2"):
            key = key.replace(f"{part}.{number}.", f"{part}{number}.")
    return key


def _inception(weights: Path, device: torch.device) -> Callable[[Tensor], Tensor]:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    net = FeatureExtractorInceptionV3("inception", ["2048"], feature_extractor_weights_path=str(weights))
    net = net.eval().to(device)

    def features(pixels: Tensor) -> Tensor:
        whole = (pixels * 255).round().clamp(0, 255).to(torch.uint8).to(device)
        answer: Tensor = net(whole)[0]
        return answer

    return features


_ABOUT_OWN: Final = Message(
    "Features of a skin lesion classifier; values are comparable only within this feature space."
)
_ABOUT_PIXELS: Final = Message(
    "Pixels averaged to 32 x 32: colour and layout alone. Give weights for a better second feature space."
)
_ABOUT_IMAGENET: Final = Message("Features of a network trained on everyday photographs (ImageNet).")
_ABOUT_INCEPTION: Final = Message(
    "Inception as ported from TensorFlow: its Fréchet distance is the FID of publications."
)
