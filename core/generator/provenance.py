"""Fills in the recipe of an image from what it was made with."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
from collections.abc import Mapping
from pathlib import Path

import torch

from core.generation import PlannedImage
from core.generator.color import ColorStatistics
from core.generator.drawing import Drawing, Settings
from core.generator.model_manager import LoadedModel
from core.models.pack import UNET_FOLDER, is_pack
from core.version import __version__
from dataset.recipe import Recipe

_LIBRARIES = ("torch", "diffusers", "numpy", "Pillow")


def make_recipe(
    planned: PlannedImage,
    drawing: Drawing,
    position: int,
    *,
    model: LoadedModel,
    settings: Settings,
    color: ColorStatistics | None,
    models: Path,
) -> Recipe:
    """Return the recipe of the image at `position` of a drawn batch; run id and time are the dataset's to add.

    Parameters
    ----------
    models
        The models folder; the weights are named relative to it.
    """
    return Recipe(
        class_code=planned.class_code,
        index=planned.index,
        seed=planned.seed,
        noise_hash=drawing.noise_hash(position),
        sampler=settings.sampler,
        steps=settings.steps,
        scheduler=drawing.scheduler_config,
        guidance=settings.guidance,
        weights=_relative(model.path, models),
        weights_sha256=model.sha256,
        models=model_name(model.path),
        color=None if color is None else color.to_json(),
        precision=model.precision,
        device=device_name(model.device),
        batch_size=settings.batch_size,
        threads=torch.get_num_threads(),
        image_size=model.image_size,
        product_version=__version__,
        versions=library_versions(),
        conditioning=drawing.conditioning.to_json(),
        assumed={about: str(words) for about, words in model.assumed.items()},
    )


def model_name(weights: Path) -> str:
    """Return the name of the pack that a weights file belongs to, or of the checkpoint that it is."""
    folder = weights.absolute().parent
    if folder.name == UNET_FOLDER and is_pack(folder.parent):
        return folder.parent.name
    return folder.name if is_pack(folder) else weights.stem


@functools.cache
def library_versions() -> Mapping[str, str]:
    """Return the versions of what takes part in drawing."""
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in _LIBRARIES}}


@functools.cache
def device_name(device: torch.device) -> str:
    """Return the device as it can be asked for, with the name of a graphics card in brackets."""
    if device.type != "cuda":
        return str(device)
    return f"{device} ({torch.cuda.get_device_name(device)})"


def _relative(path: Path, folder: Path) -> str:
    base = folder if folder.is_dir() else folder.parent
    return Path(os.path.relpath(path, base)).as_posix() if path.is_relative_to(base) else path.name
