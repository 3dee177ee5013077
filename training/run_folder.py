"""Where a training run keeps its files, and the configuration it writes there before anything else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Literal

from core.errors import InputRefusedError, ISICGUIError, UsageError
from core.files.atomic import output_errors, write_text_atomic
from core.files.reading import DamagedFileError, read_json
from core.message import Message
from core.version import __version__
from training.settings import Settings

RUNS: Final = Path("runs")
CONFIG_FILE: Final = "config.json"
_BOARD: Final = "tensorboard"
_BEFORE_IT_BEGINS: Final = frozenset(
    {CONFIG_FILE, "training.log", "log.jsonl", "training_history.csv", "lock", "lock.json"}
)
"""What is in the folder of a run that was not trained yet, besides empty folders and curves."""

_NAMED_VERSIONS: Final = ("torch", "torchvision", "diffusers", "accelerate", "numpy")


def new_run_folder(name: str, root: Path = RUNS) -> Path:
    """Return `<root>/<name>_<YYYYmmdd_HHMMSS>`, with `_2`, `_3` ... where that exists; the folder is made.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    with output_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        return _new_folder(name, root)


def _new_folder(name: str, root: Path) -> Path:
    stem = f"{name}_{datetime.now():%Y%m%d_%H%M%S}"
    number = 1
    while True:
        folder = root / (stem if number == 1 else f"{stem}_{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


Before = Literal["missing", "empty", "used"]
"""What a run's folder was before the run."""


def before(folder: Path | None) -> Before:
    """Return what a folder is before a run; one that the run is to choose itself is missing."""
    if folder is None or not folder.exists():
        return "missing"
    return "used" if not folder.is_dir() or any(folder.iterdir()) else "empty"


@contextmanager
def unless_refused(folder: Path, was: Before) -> Iterator[None]:
    """Leave a folder as it was if what happens inside is refused: whoever asks for the impossible has no run.

    Only what a run writes before it begins is taken away; a folder that holds anything else is left as it is.
    """
    try:
        yield
    except ISICGUIError:
        if was != "used":
            _take_away(folder, keep=was == "empty")
        raise


def _take_away(folder: Path, *, keep: bool) -> None:
    found = sorted(folder.rglob("*"), reverse=True)  # what is inside comes before its folder
    if any(path.name not in _BEFORE_IT_BEGINS and _BOARD not in path.parts for path in found if not path.is_dir()):
        return
    with suppress(OSError):  # what cannot be taken away stays
        for path in found if keep else (*found, folder):
            path.rmdir() if path.is_dir() else path.unlink()


def write_run_config(folder: Path, *, kind: str, name: str, settings: Settings, **facts: object) -> None:
    """Write `config.json`: what was asked for, when, with which versions, and further facts (JSON values)."""
    content = {
        "kind": kind,
        "name": name,
        "timestamp": datetime.now().astimezone().isoformat(timespec="seconds"),
        "versions": {"isicgui": __version__, **_versions()},
        **facts,
        "settings": settings.model_dump(mode="json"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_text_atomic(folder / CONFIG_FILE, json.dumps(content, indent=2) + "\n")


def read_run_config(folder: Path) -> dict[str, Any]:
    """Return the content of a run's `config.json`.

    Raises
    ------
    InputRefusedError
        If the folder holds none.
    """
    path = folder / CONFIG_FILE
    try:
        content: dict[str, Any] = read_json(path, dict[str, Any], what="a run's configuration")
    except (OSError, DamagedFileError) as error:
        raise InputRefusedError(
            Message(
                "{folder} holds no training run: {path} cannot be read ({why}).",
                folder=folder,
                path=path,
                why=getattr(error, "message", error),
            ),
            remedy=Message("Name the folder of a run; 'python main.py experiments list' shows them."),
            path=path,
        ) from error
    return content


def read_run_settings(folder: Path, kind: str | None = None) -> Mapping[str, Any]:
    """Return the settings of a run as `load_settings` takes them for a preset; see `read_run_config`.

    Raises
    ------
    UsageError
        If the run is of another kind than the one wanted.
    """
    config = read_run_config(folder)
    if kind is not None and config.get("kind") != kind:
        raise UsageError(
            Message(
                "The run in {folder} is no run of 'train {kind}' (kind: {config}).",
                folder=folder,
                kind=kind,
                config=config.get("kind", "not said"),
            ),
            remedy=Message("Continue with the command that started it."),
            path=folder,
        )
    settings = config.get("settings")
    return settings if isinstance(settings, dict) else {}


def _versions() -> dict[str, str]:
    found = {}
    for package in _NAMED_VERSIONS:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
