"""Where a training run keeps its files, and the configuration it writes there before anything else.

What the files of a run say is read so that neither a broken nor a hostile file can do more than be passed over.
`training.log` holds what a run said, beside its results.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Literal

from core.errors import InputRefusedError, ISICGUIError, UsageError
from core.events import Event
from core.files import loose_json
from core.files.atomic import output_errors, write_text_atomic
from core.files.opening import read_regular
from core.files.reading import DamagedFileError, read_json
from core.jobs.stream import JobStopped
from core.message import Message
from core.utils.logger import IsoFormatter, QuietFileHandler
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


Row = Mapping[str, Any]

LOG_FILE: Final = "log.jsonl"
_MAX_BYTES: Final = 1 << 28


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; an empty one if there is none, or it is none, or it is absurdly large."""
    try:
        return loose_json.read_object(path, _MAX_BYTES, follow=False)
    except (OSError, ValueError):
        return {}


def problem_of(path: Path) -> str:
    """Return why a file does not hold a JSON object, "" if it does or is not there."""
    try:
        loose_json.read_object(path, _MAX_BYTES, follow=False)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return error.strerror or str(error)
    except ValueError:
        return Message("it is damaged")
    return ""


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a log; broken lines, such as a last one that a kill cut off, are ignored."""
    try:
        lines = read_regular(path, _MAX_BYTES, follow=False).splitlines()
    except OSError:
        return []
    return [row for line in lines if (row := _row(line)) is not None]


def series(rows: Iterable[Row], name: str) -> tuple[list[float], list[float]]:
    """Return images seen and value of every row that has a number of that name."""
    points = [(number(row.get("images")), number(row.get(name))) for row in rows]
    found = [(images, value) for images, value in points if images is not None and value is not None]
    return [images for images, _ in found], [value for _, value in found]


def value_at(data: Any, *names: str) -> Mapping[str, Any]:
    """Return the object under nested names; an empty one if there is none."""
    for name in names:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def number(value: Any) -> float | None:
    """Return a finite JSON number, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    with suppress(OverflowError):  # a whole number of hundreds of digits
        return float(value) if math.isfinite(value) else None
    return None


def files_in(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield path relative to `folder`, with slashes, and bytes of every file; links are not followed."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            with suppress(OSError):  # a running trainer replaces its files
                yield path.relative_to(folder).as_posix(), path.lstat().st_size


def flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield name and value of settings; `optimizer.beta` for a nested one."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def newest(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the newest value of every column."""
    return {name: value for row in rows for name, value in row.items() if value is not None}


def _row(line: bytes) -> Row | None:
    try:
        row = loose_json.parse(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


TRAINING_LOG: Final = "training.log"

_logger = logging.getLogger(__name__)


@contextmanager
def training_log(folder: Path) -> Iterator[None]:
    """Append everything that is logged inside the `with` block to the run's `training.log` as well."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = QuietFileHandler(folder / TRAINING_LOG, encoding="utf-8")
    handler.setFormatter(IsoFormatter())
    root, level = logging.getLogger(), _logger.level
    root.addHandler(handler)
    _logger.setLevel(logging.INFO)  # whatever else is logged: what a run says belongs into its log
    try:
        yield
    finally:
        _logger.setLevel(level)
        root.removeHandler(handler)
        handler.close()


def logged(events: Iterator[Event], but: type[Event]) -> Iterator[Event]:
    """Yield the events of a run and note each, and how it ended; `but` are those of steps, which are too many."""
    try:
        for event in events:
            if not isinstance(event, but):
                _logger.info("%s", json.dumps(event.to_json()))
            yield event
    except ISICGUIError as error:
        _logger.error("%s", error.message)
        raise
    except (JobStopped, GeneratorExit):
        _logger.info("stopped")
        raise
    finally:
        if isinstance(events, Generator):
            events.close()  # before the log is closed
