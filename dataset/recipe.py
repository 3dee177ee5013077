"""The recipe of an image: everything needed to make it again. Carried inside the PNG and in a sidecar.

The sidecar has the keys of ISICGenerator for its tools beside the full recipe.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

from core.files import loose_json
from core.files.text import strict_dumps
from core.message import Message

PNG_KEY: Final = "isicgui:recipe"
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decided an image's pixels, and the circumstances under which they were computed.

    Attributes
    ----------
    index
        0-based index within its class, as in the seed formula.
    noise_hash
        First 16 hex digits of SHA-256 over the initial noise (float32, little endian).
    scheduler
        The full configuration of the diffusers scheduler that was used.
    guidance
        Classifier-free guidance scale; 1 means none.
    weights
        File name of the weights, as found in the models folder, with slashes.
    weights_sha256
        SHA-256 of that file.
    models
        Name of the pack or checkpoint: an image is passed on, and nobody needs to know where its maker keeps models.
        Where they lay stands in the journal of the image's output folder. Older versions wrote the absolute path here.
    color
        The colour statistics that were applied, or None.
    batch_size
        Shape of the batch the image was denoised in (padded); bit-equality needs the same.
    threads
        CPU threads that torch used.
    versions
        Versions of the libraries involved.
    conditioning
        What the network was conditioned on beside the class, by kind (`core.conditioning`).
    start
        What the image began from (`core.beginning`); empty for noise alone.
    assumed
        What the model did not say and was taken for granted, by what it is about (`scheduler`, `classes`, `weights`).
    """

    class_code: str
    index: int
    seed: int
    noise_hash: str
    sampler: str
    steps: int
    scheduler: Mapping[str, Any]
    guidance: float
    weights: str
    weights_sha256: str
    models: str
    color: Mapping[str, Any] | None
    precision: str
    device: str
    batch_size: int
    threads: int
    image_size: int
    product_version: str
    versions: Mapping[str, str] = field(default_factory=dict)
    conditioning: Mapping[str, Any] = field(default_factory=dict)
    start: Mapping[str, Any] = field(default_factory=dict)
    assumed: Mapping[str, str] = field(default_factory=dict)
    run_id: str = ""
    created: str = ""
    format: int = FORMAT

    @property
    def old_models_folder(self) -> Path | None:
        """The models folder, if an older version wrote it into the recipe."""
        folder = Path(self.models)
        return folder if folder.is_absolute() else None

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as plain JSON types; the class is under `class`."""
        data = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        for key in ("conditioning", "start", "assumed"):
            if not data[key]:
                del data[key]
        return {"class": data.pop("class_code"), **data}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], path: Path | None = None) -> Recipe:
        """Rebuild a recipe; keys of a newer version are ignored.

        Parameters
        ----------
        path
            The file that it was read from, for the message.

        Raises
        ------
        InputRefusedError
            If a required key is missing, or a value is none that a recipe can hold.
        """
        from core.files.reading import check_object
        from dataset.schemas import RecipeJson  # brings pydantic, which the window's start does without

        checked: RecipeJson = check_object(data, RecipeJson, what=Message("a recipe"), path=path)
        return cls(**dict(checked) | {"color": None if checked.color is None else checked.color.model_dump()})


def folder_name(models: str) -> str:
    """Return what a recipe that is passed on says of a models folder: of an absolute path of any system, its end."""
    is_path = PurePosixPath(models).is_absolute() or bool(PureWindowsPath(models).anchor)
    return PureWindowsPath(models).name if is_path else models


_MAX_BYTES: Final = 4 << 20
_SCHEDULER_KEYS: Final = ("num_train_timesteps", "beta_schedule", "prediction_type")


def sidecar_path(image: Path) -> Path:
    """Return where the sidecar of an image is."""
    return image.with_suffix(".json")


def sidecar_bytes(image: Path, recipe: Recipe, generated_at: float) -> bytes:
    """Return the content of the sidecar of `image`, UTF-8 JSON."""
    content = {
        "filename": image.name,
        "class": recipe.class_code,
        "seed": recipe.seed,
        "inference_steps": recipe.steps,
        "scheduler": {key: recipe.scheduler.get(key) for key in _SCHEDULER_KEYS},
        "model": {"model_path": recipe.weights, "loaded_at": generated_at, "device": recipe.device},
        "device": recipe.device,
        "noise_hash": recipe.noise_hash,
        "recipe": recipe.to_json(),
    }
    return (strict_dumps(content, indent=2) + "\n").encode("utf-8")


def read_sidecar(image: Path) -> Mapping[str, Any]:
    """Return what the sidecar of `image` says; empty if there is none or it cannot be read."""
    try:
        return loose_json.read_object(sidecar_path(image), _MAX_BYTES, follow=False)
    except (OSError, ValueError):
        return {}
