"""A model pack: the folder that diffusers itself loads, plus what this program wants to know about it."""

from __future__ import annotations

import copy
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from core.diffusers_parts import DDPMScheduler, UNet2DModel
from core.files.atomic import write_bytes_atomic
from core.taxonomy import CLASS_CODES

TRAINING_FILE: Final = "training.json"
"""How the weights of a pack were made, for its card."""


@dataclass(frozen=True, slots=True)
class PackDescription:
    """What `isicgui.json` says.

    Attributes
    ----------
    classes
        In the order of their labels.
    null_class
        Label of "no class", or None.
    """

    name: str
    classes: Sequence[str] = CLASS_CODES
    null_class: int | None = None
    guidance: float = 1.0
    sampler: str = "dpmpp-2m-sde"
    steps: int = 20
    licence: str = "unknown"
    version: str = "0.1"

    def as_json(self) -> dict[str, object]:
        """Return the content of `isicgui.json`."""
        return {
            "format": 1,
            "name": self.name,
            "classes": list(self.classes),
            "null_class": self.null_class,
            # Trained on true colours, unlike the predecessor's checkpoints, which need `color_statistics.json`.
            "recommended": {"sampler": self.sampler, "steps": self.steps, "guidance": self.guidance, "color": False},
            "licence": self.licence,
            "version": self.version,
        }


def write_pack(
    net: UNet2DModel,
    scheduler: DDPMScheduler,
    folder: Path,
    description: PackDescription,
    training: Mapping[str, object] | None = None,
) -> None:
    """Write the pack into `folder`; every file is replaced in one move, other files (a model card) stay.

    Parameters
    ----------
    net
        The network to ship, usually the moving average; it is stored in fp16.
    training
        Content of `training.json`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".pack-") as temporary:
        staged = Path(temporary)
        copy.deepcopy(net).half().save_pretrained(staged)
        scheduler.save_pretrained(staged)
        _write_json(staged / "isicgui.json", description.as_json())
        if training is not None:
            _write_json(staged / TRAINING_FILE, training)
        for file in staged.iterdir():
            write_bytes_atomic(folder / file.name, file.read_bytes())  # safetensors' own file is private to its owner


def write_predecessor_checkpoint(net: UNet2DModel, folder: Path, class_code: str) -> Path:
    """Write `unet_<CLASS>_best.pth`, a bare fp32 state dict, as the predecessor and its tools read it."""
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    torch.save({name: tensor.float().cpu() for name, tensor in net.state_dict().items()}, buffer)
    path = folder / f"unet_{class_code}_best.pth"
    write_bytes_atomic(path, buffer.getvalue())
    return path


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
