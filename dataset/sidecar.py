"""The JSON file beside an image: the predecessor's keys for its tools, and the full recipe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from core.files import loose_json
from dataset import strict_json
from dataset.recipe import Recipe

_MAX_BYTES: Final = 4 << 20
_SCHEDULER_KEYS: Final = ("num_train_timesteps", "beta_schedule", "prediction_type")


def sidecar_path(image: Path) -> Path:
    """Return where the sidecar of an image lies."""
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
    return (strict_json.dumps(content, indent=2) + "\n").encode("utf-8")


def read_sidecar(image: Path) -> Mapping[str, Any]:
    """Return what the sidecar of `image` says; empty if there is none or it cannot be read."""
    try:
        return loose_json.read_object(sidecar_path(image), _MAX_BYTES, follow=False)
    except (OSError, ValueError):
        return {}
