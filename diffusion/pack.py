"""A model pack: the folder that diffusers itself loads, plus what this program wants to know about it."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from diffusers import UNet2DModel

from core.taxonomy import CLASS_CODES
from core.utils.atomic import write_bytes_atomic
from diffusion.model import NULL_CLASS, build_scheduler


@dataclass(frozen=True, slots=True)
class PackDescription:
    """What `isicgui.json` says besides the classes."""

    name: str
    guidance: float = 1.0
    sampler: str = "dpmpp-2m-sde"
    steps: int = 20
    licence: str = "CC BY-NC 4.0"
    version: str = "0.1"

    def as_json(self) -> dict[str, object]:
        """Return the content of `isicgui.json`."""
        return {
            "format": 1,
            "name": self.name,
            "classes": list(CLASS_CODES),
            "null_class": NULL_CLASS,
            "recommended": {"sampler": self.sampler, "steps": self.steps, "guidance": self.guidance},
            "licence": self.licence,
            "version": self.version,
        }


def write_pack(net: UNet2DModel, folder: Path, description: PackDescription) -> None:
    """Write the pack into `folder`; every file is replaced in one move, other files (a model card) stay.

    Parameters
    ----------
    net
        The network to ship, usually the moving average; it is converted to fp16 in place.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".pack-") as temporary:
        staged = Path(temporary)
        net.half().save_pretrained(staged)
        build_scheduler().save_pretrained(staged)
        text = json.dumps(description.as_json(), indent=2) + "\n"
        (staged / "isicgui.json").write_text(text, encoding="utf-8")
        for file in staged.iterdir():
            write_bytes_atomic(folder / file.name, file.read_bytes())  # safetensors' own file is private to its owner
