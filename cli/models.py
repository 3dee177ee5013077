"""`models`: which models a folder holds, whether they can be used, and how good they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli.console import Console
from cli.derive import (
    ANY_PATH,
    FOLDER,
    OUTPUT_FOLDER,
    CommandGroup,
    JobBar,
    Words,
    carry_out,
    json_option,
    request_of,
    request_options,
)
from cli.models_card import card, judge, sheet
from core.errors import ISICGUIError, ModelRefusedError
from core.events import Event
from core.models.discovery import discover
from core.taxonomy import CLASS_CODES, class_name
from core.utils.path_manager import PathManager
from download.request import (
    Downloading,
    DownloadRequest,
    Extracting,
    Fetching,
    Finished,
    Installed,
    Refused,
    Restarting,
    Retrying,
)

if TYPE_CHECKING:
    from core.models.discovery import Catalog, ClassModel


@click.command()
@request_options(DownloadRequest)
@json_option
def download(json_mode: bool, **values: Any) -> int:
    """Download the seven ISICGenerator checkpoints (about 750 MB), or import an archive or folder.

    An interrupted download continues where it stopped. Every file is read as it will be used before it is installed; a
    refused file is named, the others are kept. Running it again verifies what is there.
    """
    return carry_out(request_of(DownloadRequest, values), Console(json_mode=json_mode), WORDS, bar=_ByteBar())


def _beginning(event: Fetching) -> str:
    from download.records import size

    about = "" if event.expected is None else f" of about {size(event.expected)}"
    if event.received:
        return f"Continuing {event.address}: {size(event.received)}{about} already downloaded."
    return f"Downloading {event.address}{about and ',' + about.removeprefix(' of')}; {size(event.free)} free."


def _replaced(event: Installed) -> Iterator[str]:
    if event.replaced is not None:
        yield f"The existing {event.member} was renamed to {event.replaced.name}."


def _summary(end: Finished) -> str:
    if end.status == "stopped":
        kept = f" The part that was downloaded is kept in {end.kept}." if end.kept else ""
        return f"Stopped; {_files(end)} in {end.folder}.{kept} Run the same command again to continue."
    lines = [f"{_files(end)} in {end.folder}: {', '.join(end.files) or 'nothing'}."]
    if end.status == "already":
        lines.append("All files were already there and are unchanged.")
    if end.refused:
        lines.append(f"Refused: {', '.join(end.refused)}.")
    if end.first_seen:
        lines.append(
            f"SHA-256 of the archive: {end.sha256}. No checksum was published: this one is remembered, and every "
            "later download is compared with it."
        )
    if end.kept is not None:
        lines.append(f"The archive is kept as {end.kept}, so another try needs no network.")
    if end.classes:
        lines.append(
            f'Use them: python main.py generate --classes {end.classes[0]}=4 --models "{end.folder}" --output OUT'
        )
    return "\n".join(lines)


def _files(end: Finished) -> str:
    return f"{len(end.files)} file{'' if len(end.files) == 1 else 's'}"


WORDS: Final[Words] = {
    Fetching: _beginning,
    Retrying: lambda event: event.message,
    Restarting: lambda event: event.message,
    Refused: lambda event: f"REFUSED {event.message} {event.remedy}",
    Installed: _replaced,
    Finished: _summary,
}


class _ByteBar(JobBar):
    """Counts bytes: those that arrive, then those of the files that are unpacked."""

    def __init__(self) -> None:
        super().__init__()
        self._stage = ""

    def take(self, event: Event) -> None:
        """Let the bar follow an event."""
        if isinstance(event, Downloading):
            self._to("downloading", event.received, event.total)
        elif isinstance(event, Extracting):
            self._to("unpacking and checking", event.done, event.total)
        else:
            self.close()

    def _to(self, stage: str, done: int, total: int | None) -> None:
        if self.bar is None or stage != self._stage:
            self._stage = stage
            self.open(total=total, initial=done, desc=stage, unit="B", unit_scale=True)
        self.bar.update(done - self.bar.n)


@click.command("import")
@click.argument("file", type=ANY_PATH, metavar="FILE.h5")
@click.option(
    "--output", type=OUTPUT_FOLDER, required=True, help="Folder for the classifier; it must not hold one yet."
)
@json_option
def import_model(file: Path, output: Path, json_mode: bool) -> None:
    """Import a Keras classifier (.h5) of HAM10000_CNN, without running anything in it."""
    from legacy.keras_import import import_keras

    imported = import_keras(file, output)
    console = Console(json_mode=json_mode)
    console.event(
        {
            "event": "imported",
            "file": str(file),
            "output": str(imported.folder),
            "architecture": imported.architecture,
            "image_size": imported.image_size,
        }
    )
    if not json_mode:
        console.say(
            f"{file.name} is a {imported.architecture} for {imported.image_size} x {imported.image_size} pixels; it is "
            f'now in {output}.\nUse it with: python main.py classify IMAGE --classifier "{output}"'
        )


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
