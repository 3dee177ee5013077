"""A small U-Net that finds the lesion (Ronneberger et al. 2015, arXiv:1505.04597), and what is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from core.errors import ModelArchitectureError, ModelMissingError, ModelTruncatedError
from core.files.reading import DamagedFileError, Share, check_object, read_json
from core.message import Message
from core.models.safe_weights import read_weights
from core.utils.path_manager import PathManager
from measures.features import Images

SIDE: Final = 64
"""Side of the square that the network sees, in pixels."""

WIDTHS: Final = (12, 24, 48, 72)
WEIGHTS_FILE: Final = "model.safetensors"
RECORD_FILE: Final = "segmenter.json"
STARTER: Final = "segmenter"
_LARGEST: Final = 64 << 20
_BATCH: Final = 64

Masks = NDArray[np.bool_]


class UNet(nn.Module):
    """Four resolutions; maps pixels (N, 3, S, S) in 0..1, S a multiple of 8, to the lesion's logits (N, 1, S, S)."""

    def __init__(self) -> None:
        super().__init__()
        before = (3, *WIDTHS[:-1])
        self.down = nn.ModuleList(_block(i, o) for i, o in zip(before, WIDTHS, strict=True))
        pairs = zip(reversed(WIDTHS[1:]), reversed(WIDTHS[:-1]), strict=True)
        self.up = nn.ModuleList(_block(deep + wide, wide) for deep, wide in pairs)
        self.head = nn.Conv2d(WIDTHS[0], 1, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the logits."""
        levels: list[Tensor] = []
        seen = (pixels - 0.5) / 0.25
        for block in self.down:
            seen = block(functional.max_pool2d(seen, 2) if levels else seen)
            levels.append(seen)
        for block, level in zip(self.up, reversed(levels[:-1]), strict=True):
            larger = functional.interpolate(seen, scale_factor=2.0, mode="bilinear", align_corners=False)
            seen = block(torch.cat([larger, level], dim=1))
        logits: Tensor = self.head(seen)
        return logits


def _block(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(),
        nn.Conv2d(after, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Segmenter:
    """A trained U-Net.

    Attributes
    ----------
    ceiling
        Its own mean Dice on real photographs that it was not trained on: no set of images can be expected to do better.
    record
        The content of `segmenter.json`.
    """

    net: UNet
    ceiling: float
    record: Mapping[str, Any]

    def __call__(self, images: Images) -> Masks:
        """Return where the lesion is, bool (N, S, S), of uint8 images (N, 3, S, S)."""
        parts = torch.as_tensor(images).split(_BATCH)
        with torch.inference_mode():
            found = [self._segment(part) for part in parts]
        return np.concatenate(found)

    def _segment(self, images: Tensor) -> Masks:
        small = functional.interpolate(images.float() / 255, (SIDE, SIDE), mode="bilinear", antialias=True)
        logits = functional.interpolate(self.net(small), images.shape[-2:], mode="bilinear", align_corners=False)
        return logits[:, 0].numpy() > 0


def load_segmenter(folder: Path | None = None) -> Segmenter:
    """Read a segmenter; the starter's if no folder is named.

    Raises
    ------
    ModelRefusedError
        If it is missing, damaged or of another shape.
    """
    place = folder or PathManager().starter_dir / STARTER
    if not (place / WEIGHTS_FILE).is_file():
        raise ModelMissingError(
            Message("There is no segmenter at {path}.", path=place),
            remedy=Message("It comes with the program: copy the folder starter again."),
            path=place,
        )
    try:
        record: dict[str, Any] = read_json(place / RECORD_FILE, dict[str, Any], what="a segmenter's record")
        ceiling: float = check_object(record.get("held_out_dice"), Share, what="a mean Dice")
    except (OSError, DamagedFileError) as error:
        raise ModelTruncatedError(
            Message("{path} cannot be read.", path=place / RECORD_FILE),
            remedy=Message("Copy the segmenter's folder again."),
            path=place / RECORD_FILE,
        ) from error
    net = UNet()
    try:
        net.load_state_dict(read_weights(place / WEIGHTS_FILE, max_bytes=_LARGEST))
    except RuntimeError as error:
        raise ModelArchitectureError(
            Message("{path} holds another network than the segmenter.", path=place / WEIGHTS_FILE),
            remedy=Message("Copy the segmenter's folder again."),
            path=place / WEIGHTS_FILE,
        ) from error
    return Segmenter(net.eval(), ceiling, record)
