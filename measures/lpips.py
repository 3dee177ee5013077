"""LPIPS: how different two images look (Zhang et al. 2018, arXiv:1801.03924, version 0.1); 0 for the same image.

The trunk is torchvision's AlexNet for ImageNet, a file that the user gives. The weights of its five layers' channels,
1,152 numbers trained on people's judgements, are next to this file with their authors' licence.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.errors import ModelRefusedError
from core.files.opening import sha256_of
from core.message import Message
from core.models.safe_weights import read_weights

ALEXNET_SHA: Final = "7be5be79"
"""First digits of the SHA-256 of torchvision's published file, which its name carries."""

HEADS_FILE: Final = Path(__file__).with_name("lpips_heads.safetensors")
AFTER: Final = (1, 4, 7, 9, 11)
"""Places of the layers of AlexNet that are compared."""

SMALLEST: Final = 64
"""Side in pixels below which the trunk sees nothing."""

_LARGEST: Final = 1 << 30
_SHIFT: Final = (-0.030, -0.088, -0.188)
_SCALE: Final = (0.458, 0.448, 0.450)

Image = NDArray[np.uint8]


class Lpips:
    """Compares images.

    Parameters
    ----------
    trunk
        The convolutional layers of AlexNet.
    heads
        Weight of each channel of the five layers, none of them negative.
    """

    def __init__(self, trunk: nn.Sequential, heads: Sequence[Tensor], device: torch.device | None = None) -> None:
        self._trunk = trunk.eval().to(device)
        self._device = device
        self._heads = [head.flatten().to(device) for head in heads]
        self._shift, self._scale = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (_SHIFT, _SCALE))

    def __call__(self, first: Image, second: Image) -> float:
        """Return the distance of two uint8 RGB images (H, W, 3); NaN below 64 pixels a side."""
        if min(first.shape[:2]) < SMALLEST:
            return float("nan")
        with torch.inference_mode():
            layers = zip(self._layers(first), self._layers(second), self._heads, strict=True)
            return float(sum((((a - b) ** 2).mean((2, 3))[0] * head).sum() for a, b, head in layers))

    def _layers(self, image: Image) -> list[Tensor]:
        """Return what the five layers see, each place's channels scaled to length 1."""
        pixels = torch.from_numpy(np.ascontiguousarray(image)).to(self._device).permute(2, 0, 1)[None].float()
        seen, found = (pixels / 127.5 - 1 - self._shift) / self._scale, []
        for place, layer in enumerate(self._trunk[: AFTER[-1] + 1]):
            seen = layer(seen)
            if place in AFTER:
                found.append(seen / (seen.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return found


def load_lpips(weights: Path, device: torch.device | None = None) -> Lpips:
    """Read torchvision's AlexNet, told by its SHA-256.

    Raises
    ------
    ModelRefusedError
        If the file is another one.
    """
    if not weights.is_file():
        raise ModelRefusedError(
            Message("There is no file {path}.", path=weights), remedy=Message("Check the path."), path=weights
        )
    sha256 = sha256_of(weights)
    if not sha256.startswith(ALEXNET_SHA):
        raise ModelRefusedError(
            Message("{path} is not the AlexNet of LPIPS (its SHA-256 begins {sha}).", path=weights, sha=sha256[:8]),
            remedy=Message("Give torchvision's alexnet-owt-7be5be79.pth, unchanged."),
            path=weights,
        )
    tensors = read_weights(weights, max_bytes=_LARGEST)
    trunk = alexnet_trunk()
    start = "features."
    trunk.load_state_dict({key[len(start) :]: value for key, value in tensors.items() if key.startswith(start)})
    return Lpips(trunk, read_heads(), device)


def alexnet_trunk() -> nn.Sequential:
    """Return the convolutional layers of AlexNet with random weights."""
    from torchvision.models import alexnet

    trunk: nn.Sequential = alexnet(weights=None).features
    return trunk


def read_heads() -> list[Tensor]:
    """Return the weights of the channels, layer by layer."""
    tensors = read_weights(HEADS_FILE, max_bytes=1 << 20)
    return [tensors[f"layer{number}"] for number in range(len(AFTER))]
