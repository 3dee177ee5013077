"""Settings of ISICGenerator (`ISICGenerator/config.json`), translated into this product's.

Only what its user changed is taken over, and only where it means something here; its defaults are not. The language
is the exception: ISICGenerator spoke Russian alone, so whoever used it reads Russian.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

from core.config.schema import BY_KEY, Value
from core.errors import UsageError
from core.home import home_folder
from core.message import Message

_FOLDER: Final = "ISICGenerator"
_FILE: Final = "config.json"


def legacy_places(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Return where ISICGenerator kept its settings on Windows, macOS and Linux, whether or not they exist."""
    home = home_folder()
    roaming = environment.get("APPDATA")
    folders = [Path(roaming)] if roaming else []
    folders += [home / "Library" / "Application Support", home / ".config"]
    return tuple(folder / _FOLDER / _FILE for folder in folders)


def import_legacy(old: Mapping[str, Any]) -> dict[str, Value]:
    """Return the settings that follow from ISICGenerator's file, by key; values that make no sense are left out."""
    found: dict[str, Value] = {}
    for old_key, translate in _TRANSLATIONS.items():
        value = _look_up(old, old_key)
        if value is not None:
            found.update(translate(value))
    if not _look_up(old, "advanced.enable_xai"):
        found.pop("xai.every", None)
    return {key: value for key, value in found.items() if _sensible(key, value)}


def lost_folders(old: Mapping[str, Any]) -> list[Message]:
    """Return a sentence for each folder that a user of ISICGenerator had chosen and that is not on this machine."""
    chosen = (_look_up(old, f"paths.{name}") for name in ("models", "checkpoints", "output"))
    lost = [text for text in chosen if isinstance(text, str) and _is_whole(text) and not Path(text).is_dir()]
    return [
        Message("The folder {path} of the earlier program is not there now; choose it again in the top bar.", path=text)
        for text in dict.fromkeys(lost)
    ]


def _is_whole(text: str) -> bool:
    """Whether a path is absolute on Windows or elsewhere; the file may come from another system."""
    return PureWindowsPath(text).is_absolute() or PurePosixPath(text).is_absolute()


def _look_up(tree: Mapping[str, Any], dotted: str) -> Any:
    section, _, name = dotted.partition(".")
    values = tree.get(section)
    return values.get(name) if isinstance(values, dict) else None


def _sensible(key: str, value: Value) -> bool:
    try:
        BY_KEY[key].check(value)
    except UsageError:
        return False
    return True


def _existing_folder(key: str) -> Callable[[Any], dict[str, Value]]:
    def translate(value: Any) -> dict[str, Value]:
        usable = isinstance(value, str) and Path(value).is_absolute() and Path(value).is_dir()
        return {key: value} if usable else {}

    return translate


def _renamed(key: str) -> Callable[[Any], dict[str, Value]]:
    return lambda value: {key: value}


def _steps(value: Any) -> dict[str, Value]:
    """A number of steps was chosen for ISICGenerator's only sampler, so that sampler comes with it."""
    return {} if value == 50 else {"generation.steps": value, "generation.sampler": "ddpm"}


_TRANSLATIONS: Final[Mapping[str, Callable[[Any], dict[str, Value]]]] = {
    "paths.models": _existing_folder("paths.models"),
    "paths.checkpoints": _existing_folder("paths.models"),
    "paths.output": _existing_folder("paths.output"),
    "generation.inference_timesteps": _steps,
    "generation.seed_value": _renamed("generation.seed"),
    "generation.xai_frequency": _renamed("xai.every"),
    "ui.theme": lambda value: {} if value == "light" else {"ui.theme": value},
    "ui.language": _renamed("ui.language"),
    "advanced.enable_color_postprocessing": _renamed("generation.color"),
    "advanced.enable_xai": lambda value: {"xai.enabled": True} if value is True else {},
}
