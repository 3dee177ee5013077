"""How a generator came about, as far as the files next to it tell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.files.reading import read_json
from diffusion.config import DiffusionConfig
from diffusion.pack import TRAINING_FILE
from diffusion.record_schemas import TrainingJson
from training.run_folder import CONFIG_FILE
from training.settings import load_settings


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
