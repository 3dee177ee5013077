"""A model pack: the folder that diffusers itself loads, plus what this program wants to know about it.

How a generator came about is read from the files beside it, as far as they tell.
"""

from __future__ import annotations

import copy
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from core.diffusers_parts import UNet2DModel
from core.files.atomic import write_bytes_atomic
from core.files.opening import read_regular
from core.files.reading import read_json
from core.models.networks import WEIGHTS_FILE
from core.models.pack import MAX_BYTES, SCHEDULER_FOLDER, UNET_FOLDER, VAE_FOLDER
from core.taxonomy import CLASS_CODES
from diffusion.config import DiffusionConfig
from diffusion.model import NoiseSchedule
from diffusion.record_schemas import TrainingJson
from training.run_folder import CONFIG_FILE
from training.settings import load_settings

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
    sketch
        Colours of the pixels of latent images, for previews; see `core.generator.model_manager`.
    """

    name: str
    classes: Sequence[str] = CLASS_CODES
    null_class: int | None = None
    guidance: float = 1.0
    sampler: str = "dpmpp-2m-sde"
    steps: int = 20
    licence: str = "unknown"
    version: str = "0.1"
    sketch: Mapping[str, object] | None = None

    def as_json(self) -> dict[str, object]:
        """Return the content of `isicgui.json`."""
        about = {
            "format": 1,
            "name": self.name,
            "classes": list(self.classes),
            "null_class": self.null_class,
            # Trained on true colours, unlike ISICGenerator's checkpoints, which need `color_statistics.json`.
            "recommended": {"sampler": self.sampler, "steps": self.steps, "guidance": self.guidance, "color": False},
            "licence": self.licence,
            "version": self.version,
        }
        return about if self.sketch is None else {**about, "sketch": self.sketch}


def write_pack(
    net: UNet2DModel,
    scheduler: NoiseSchedule,
    folder: Path,
    description: PackDescription,
    training: Mapping[str, object] | None = None,
    autoencoder: Path | None = None,
) -> None:
    """Write the pack into `folder`; every file is replaced in one move, other files (a model card) stay.

    Parameters
    ----------
    net
        The network to ship, usually the moving average; it is stored in fp16.
    training
        Content of `training.json`.
    autoencoder
        Of a network that draws latent images: the pack is then laid out as diffusers' pipelines are, with the network
        in `unet`, the noise schedule in `scheduler` and a copy of the autoencoder in `vae`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix="isicgui-pack-"
    ) as temporary:  # what a kill leaves there, the system removes
        staged = Path(temporary)
        latent = autoencoder is not None
        _plain(net).save_pretrained(staged / UNET_FOLDER if latent else staged)
        scheduler.save_pretrained(staged / SCHEDULER_FOLDER if latent else staged)
        if autoencoder is not None:
            _copy_autoencoder(autoencoder, staged / VAE_FOLDER)
            _write_json(staged / "model_index.json", _index(scheduler))
        _write_json(staged / "isicgui.json", description.as_json())
        if training is not None:
            _write_json(staged / TRAINING_FILE, training)
        for file in sorted(path for path in staged.rglob("*") if path.is_file()):
            target = folder / file.relative_to(staged)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_bytes_atomic(target, file.read_bytes())  # safetensors' own file is private to its owner


def _plain(net: UNet2DModel) -> UNet2DModel:
    """Return a copy in fp16 as diffusers saves it: every tensor contiguous."""
    return copy.deepcopy(net).half().to(memory_format=torch.contiguous_format)


def _copy_autoencoder(autoencoder: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        (folder / name).write_bytes(read_regular(autoencoder / name, MAX_BYTES))


def _index(scheduler: NoiseSchedule) -> dict[str, object]:
    """Return what diffusers' pipelines say of their parts; no pipeline of theirs puts these together."""
    parts = {"unet": "UNet2DModel", "scheduler": type(scheduler).__name__, "vae": "AutoencoderKL"}
    return {"_class_name": "DiffusionPipeline", **{name: ["diffusers", kind] for name, kind in parts.items()}}


def write_predecessor_checkpoint(net: UNet2DModel, folder: Path, class_code: str) -> Path:
    """Write `unet_<CLASS>_best.pth`, a bare fp32 state dict, as ISICGenerator and its tools read it."""
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    torch.save({name: tensor.float().cpu() for name, tensor in net.state_dict().items()}, buffer)
    path = folder / f"unet_{class_code}_best.pth"
    write_bytes_atomic(path, buffer.getvalue())
    return path


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_training(models: Path) -> dict[str, Any]:
    """Return what `training.json` beside the weights says, or `config.json` of the run that they lie in; {} if neither.

    Raises
    ------
    InputRefusedError
        If the file cannot be read.
    """
    places = (models / TRAINING_FILE, models.parent / CONFIG_FILE)
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return {}
    found: TrainingJson = read_json(path, TrainingJson, what="the record of a training")
    return found.model_dump(exclude_unset=True)


def settings_of(training: Mapping[str, Any]) -> DiffusionConfig:
    """Return the settings that a generator was trained with; the defaults where nothing says.

    Raises
    ------
    SettingsRefusedError
        If they are none that this version of the program knows.
    """
    settings = training.get("settings")
    return load_settings(DiffusionConfig, preset=settings if isinstance(settings, dict) else {})
