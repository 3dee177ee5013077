"""`models`: which models a folder holds, whether they can be used, and how good they are."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.console import Console
from cli.groups import CommandGroup
from cli.models_card import card, judge, sheet
from cli.models_download import download
from cli.models_import import import_model
from cli.options import FOLDER, json_option
from core.errors import ISICGUIError, ModelRefusedError
from core.models.discovery import discover
from core.taxonomy import CLASS_CODES, class_name
from core.utils.path_manager import PathManager

if TYPE_CHECKING:
    from core.models.discovery import Catalog, ClassModel

models_option = click.option("--models", "folder", type=FOLDER, help="Models folder [default: the starter models].")


@click.group(cls=CommandGroup)
def models() -> None:
    """List, verify, download, import and evaluate models, and write their cards."""


@models.command("list")
@models_option
@json_option
def list_models(folder: Path | None, json_mode: bool) -> None:
    """List the model of each class, or why there is none."""
    catalog = discover(folder or PathManager().default_models_dir)
    console = Console(json_mode=json_mode)
    for code in CLASS_CODES:
        model = catalog.classes[code]
        console.event(
            {
                "event": "model",
                "class": code,
                "available": model.available,
                "kind": model.kind,
                "path": None if model.path is None else str(model.path),
                "reason": model.reason,
                "assumed": list(model.assumed),
            }
        )
        if not json_mode:
            console.say(
                f"{code:6} {class_name(code):36} {model.path if model.available else 'not available: ' + model.reason}"
            )
    for words in dict.fromkeys(words for model in catalog.classes.values() for words in model.assumed):
        console.warn(f"Note: {words}")
    for path, reason in catalog.ignored:
        console.warn(f"Ignored {path}: {reason}")


@models.command()
@models_option
@json_option
def verify(folder: Path | None, json_mode: bool) -> int:
    """Read every model completely and check format, architecture, finite weights and SHA-256."""
    catalog = discover(folder or PathManager().default_models_dir)
    console = Console(json_mode=json_mode)
    files = _classes_by_file(catalog)
    if not files:
        raise ModelRefusedError(
            "There is no model to verify.", remedy="Run 'python main.py models list' to see why.", path=folder
        )
    return max(_verify_one(path, group, console) for path, group in files.items())


def _classes_by_file(catalog: Catalog) -> dict[Path, list[ClassModel]]:
    files: dict[Path, list[ClassModel]] = defaultdict(list)
    for model in catalog.classes.values():
        if model.available and model.path is not None:
            files[model.path].append(model)
    return dict(files)


def _verify_one(path: Path, group: list[ClassModel], console: Console) -> int:
    import torch

    from core.cache.cache_manager import CacheManager
    from core.generator.model_manager import ModelManager

    codes = [model.class_code for model in group]
    try:
        loaded = ModelManager(CacheManager()).load(group[0], torch.device("cpu"), "fp32")
    except ISICGUIError as error:
        console.event({"event": "verified", "path": str(path), "classes": codes, "ok": False, "kind": error.kind,
                       "message": error.message, "remedy": error.remedy})  # fmt: skip
        console.warn(f"REFUSED {path}: {error}")
        return error.exit_code
    console.event({"event": "verified", "path": str(path), "classes": codes, "ok": True, "sha256": loaded.sha256})
    if not console.json_mode:
        console.say(f"ok  {path}  {', '.join(codes)}  SHA-256 {loaded.sha256}")
    return 0


for command in (download, judge, sheet, card, import_model):
    models.add_command(command)
models.add_alias("evaluate", "judge")
