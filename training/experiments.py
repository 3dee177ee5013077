"""The runs of the trainers: found, described and compared.

A run is a real folder directly under the root that holds a `config.json` of a trainer.

Old runs, deleted.

What the files of a run say decides what is printed, never what is deleted: no path is ever taken from a file, no
symbolic link is followed, and a run that is going on is left alone.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, Literal

from core.errors import FolderLockedError, InputRefusedError
from core.files.atomic import output_errors
from core.files.folder_lock import HOLDER_FILE, FolderLock, is_here, is_locked, read_holder
from core.message import Message
from training.run_folder import (
    CONFIG_FILE,
    LOG_FILE,
    Row,
    files_in,
    flat,
    newest,
    number,
    problem_of,
    read_object,
    read_rows,
    series,
    value_at,
)

Status = Literal["running", "finished", "interrupted"]

KINDS: Final = ("autoencoder", "diffusion", "classifier")
HEARTBEAT_SECONDS: Final = 15 * 60
"""A run of another machine whose log or checkpoint is younger than this may still be going on."""

_RESULTS: Final = "test_results.json"
_SUMMARY: Final = "summary.json"
_FINISHED: Final[dict[str, tuple[str, ...]]] = {
    "autoencoder": ("pack/reconstruction.json",),
    "diffusion": ("memorisation.json",),
    "classifier": (_RESULTS, _SUMMARY),
}
_SIGNS_OF_LIFE: Final = (LOG_FILE, "last.pt", CONFIG_FILE)
_TRACES: Final = (LOG_FILE, "last.pt")
"""What a trainer leaves beside its configuration."""


@dataclass(frozen=True, slots=True)
class Metric:
    """The number by which runs of a kind are ranked, with its 95 % interval if it is known."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.name} {self.value:.4g}"
        return f"{self.name} {self.value:.4g} ({self.low:.4g} to {self.high:.4g})"


@dataclass(frozen=True, slots=True)
class Run:
    """One run as a line of a list.

    Attributes
    ----------
    images
        Training images seen.
    metric
        The best so far; None before anything was measured.
    size
        Bytes on disk.
    date
        When it began.
    """

    folder: Path
    kind: str
    status: Status
    images: int
    metric: Metric | None
    size: int
    date: datetime

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name


@dataclass(frozen=True, slots=True)
class RunDetails:
    """A run with what its files say.

    Attributes
    ----------
    config
        The content of `config.json`.
    rows
        The log, oldest row first.
    files
        Path relative to the run, and bytes.
    """

    run: Run
    config: Mapping[str, Any]
    rows: Sequence[Row]
    files: Mapping[str, int]

    @property
    def settings(self) -> dict[str, Any]:
        """The settings, flat: `optimizer.beta` for a nested one."""
        settings = self.config.get("settings")
        return dict(flat(settings if isinstance(settings, Mapping) else {}))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several runs side by side.

    Attributes
    ----------
    settings
        Those that differ: name to one value for each run; None where a run has no such setting.
    metrics
        The newest numbers of each run's log, in the same form.
    """

    runs: tuple[Run, ...]
    settings: Mapping[str, tuple[Any, ...]]
    metrics: Mapping[str, tuple[Any, ...]]


def is_run(folder: Path) -> bool:
    """Return whether a folder is a real one that holds the configuration of a trainer."""
    return _is_real_folder(folder) and _kind(read_object(folder / CONFIG_FILE)) is not None


def list_runs(root: Path) -> list[Run]:
    """Return the runs directly under `root`, the newest first.

    Raises
    ------
    InputRefusedError
        If `root` is no folder that can be read.
    """
    runs = [read_run(folder).run for folder in _folders(root) if is_run(folder)]
    return sorted(runs, key=lambda run: (run.date, run.name), reverse=True)


def damaged_runs(root: Path) -> dict[Path, Message]:
    """Return the folders under `root` that look like runs but cannot be read as such, each with what is wrong.

    Raises
    ------
    InputRefusedError
        If `root` is no folder that can be read.
    """
    found = {folder: _damage(folder) for folder in sorted(_folders(root)) if _is_real_folder(folder)}
    return {folder: problem for folder, problem in found.items() if problem is not None}


def _damage(folder: Path) -> Message | None:
    if problem := problem_of(folder / CONFIG_FILE):
        return Message("{file} cannot be read: {why}", file=CONFIG_FILE, why=problem)
    if any(os.path.lexists(folder / name) for name in _TRACES) and not is_run(folder):
        return Message("{file} does not say which trainer wrote it", file=CONFIG_FILE)
    return None


def _folders(root: Path) -> list[Path]:
    try:
        return [root / entry.name for entry in os.scandir(root)]
    except OSError as error:
        raise InputRefusedError(
            Message("The runs in '{root}' cannot be listed: {strerror}.", root=root, strerror=error.strerror),
            remedy=Message("Name the folder of the runs with --root."),
            path=root,
        ) from error


def read_run(folder: Path) -> RunDetails:
    """Return everything there is to say about a run.

    Raises
    ------
    InputRefusedError
        If the folder is no run.
    """
    config = read_object(folder / CONFIG_FILE)
    kind = _kind(config)
    if kind is None or not _is_real_folder(folder):
        damage = _damage(folder) if _is_real_folder(folder) else None
        why = damage or f"it is no real folder, or no trainer wrote a {CONFIG_FILE} there"
        raise InputRefusedError(
            Message("'{folder}' is not a training run: {why}.", folder=folder, why=why),
            remedy=Message("'python main.py experiments list' shows the runs; --root names another folder of runs."),
            path=folder,
        )
    rows = read_rows(folder / LOG_FILE)
    files = dict(files_in(folder))
    run = Run(
        folder, kind, _status(folder, kind, config, rows), _images(folder, rows), _metric(folder, kind, rows),
        sum(files.values()),
        _date(config, folder),
    )  # fmt: skip
    return RunDetails(run, config, rows, files)


def find_run(name: str, root: Path) -> Path:
    """Return the folder of a run that is named by its folder's name under `root`, or by a path."""
    named = root / name
    return named if Path(name).name == name and named.is_dir() else Path(name)


def compare(runs: Sequence[RunDetails]) -> Comparison:
    """Put runs side by side."""
    last = [newest(details.rows) for details in runs]
    return Comparison(
        tuple(details.run for details in runs),
        _differing(_aligned([details.settings for details in runs])),
        _aligned(last),
    )


def _is_real_folder(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink() and not _is_junction(folder)


def _is_junction(folder: Path) -> bool:
    # Path.is_junction is new in Python 3.12; a junction is a folder whose real path lies elsewhere.
    return os.name == "nt" and Path(os.path.realpath(folder)) != Path(os.path.realpath(folder.parent)) / folder.name


def _kind(config: Mapping[str, Any]) -> str | None:
    kind = config.get("kind")
    return kind if isinstance(kind, str) and kind in KINDS else None


def _status(folder: Path, kind: str, config: Mapping[str, Any], rows: Sequence[Row]) -> Status:
    if any(is_locked(place) for place in (folder, *_parts(folder))):
        return "running"
    if _is_finished(folder, kind, rows) or (kind == "diffusion" and _all_classes_finished(folder, config)):
        return "finished"
    holders = [found for place in (folder, *_parts(folder)) if (found := read_holder(place / HOLDER_FILE))]
    # who stops takes the note away; who dies on this machine loses the lock; only of another machine it is not known
    is_unknown = any(not is_here(holder) for holder in holders)
    return "running" if is_unknown and _seconds_since_life(folder) < HEARTBEAT_SECONDS else "interrupted"


def _is_finished(folder: Path, kind: str, rows: Sequence[Row]) -> bool:
    if rows and rows[-1].get("event") == "finished":
        return True
    return any((folder / name).is_file() for name in _FINISHED[kind])


def _all_classes_finished(folder: Path, config: Mapping[str, Any]) -> bool:
    """Return whether a run that trains one network for each class has trained all of them, each in its own folder."""
    classes = value_at(config, "settings").get("classes")
    done = {place.name for place in _parts(folder) if _is_finished(place, "diffusion", read_rows(place / LOG_FILE))}
    return isinstance(classes, list) and bool(classes) and {str(code) for code in classes} <= done


def _images(folder: Path, rows: Sequence[Row]) -> int:
    """Return the images seen by the run, or by all its parts together if it has no log of its own."""
    logs = [rows] if rows else [read_rows(place / LOG_FILE) for place in _parts(folder)]
    return sum(max((int(seen) for seen in series(log, "images")[1]), default=0) for log in logs)


def _parts(folder: Path) -> Iterator[Path]:
    """Yield the trainings inside a run: `fold_0`, or `seed_1/fold_0`."""
    for pattern in (f"*/{CONFIG_FILE}", f"*/*/{CONFIG_FILE}"):
        yield from (file.parent for file in folder.glob(pattern))


def _seconds_since_life(folder: Path) -> float:
    files = [place / name for place in (folder, *_parts(folder)) for name in _SIGNS_OF_LIFE]
    newest = max((file.stat().st_mtime for file in files if file.is_file()), default=0.0)
    return time.time() - newest


def _metric(folder: Path, kind: str, rows: Sequence[Row]) -> Metric | None:
    if kind == "diffusion":
        return _best(rows, "kid", "kernel distance", smaller=True)
    if kind == "autoencoder":
        return _last(rows, "psnr", "PSNR (validation)")
    for name in (_SUMMARY, _RESULTS):
        measured = _measured(read_object(folder / name))
        if measured is not None:
            return measured
    return _best(rows, "val_balanced_accuracy", "balanced accuracy (validation)", smaller=False)


def _measured(results: Mapping[str, Any]) -> Metric | None:
    value = number(results.get("balanced_accuracy"))
    if value is None:
        return None
    estimate = value_at(results, "estimates", "overall", "balanced_accuracy")
    where = results.get("measured_on")
    name = f"balanced accuracy ({where})" if where in ("test", "validation") else "balanced accuracy"
    return Metric(name, value, number(estimate.get("low")), number(estimate.get("high")))


def _best(rows: Sequence[Row], key: str, name: str, *, smaller: bool) -> Metric | None:
    measured = [(value, row) for row in rows if (value := number(row.get(key))) is not None]
    if not measured:
        return None
    value, row = (min if smaller else max)(measured, key=lambda pair: pair[0])
    return Metric(name, value, number(row.get(f"{key}_low")), number(row.get(f"{key}_high")))


def _last(rows: Sequence[Row], key: str, name: str) -> Metric | None:
    value = number(newest(rows).get(key))
    return None if value is None else Metric(name, value)


def _date(config: Mapping[str, Any], folder: Path) -> datetime:
    try:
        date = datetime.fromisoformat(str(config.get("timestamp")))
        return date.astimezone()
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(folder.stat().st_mtime, timezone.utc).astimezone()


def _aligned(columns: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
    names = dict.fromkeys(name for column in columns for name in column)
    return {name: tuple(column.get(name) for column in columns) for name in names}


def _differing(table: Mapping[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    return {name: values for name, values in table.items() if any(value != values[0] for value in values)}


_DELETED_LAST: Final = frozenset({CONFIG_FILE, "lock", "lock.json"})


def runs_to_clean(runs: Sequence[Run], keep: int) -> list[Run]:
    """Return the runs to delete so that the `keep` newest stay; what is going on stays in any case.

    Parameters
    ----------
    runs
        The newest first, as `list_runs` gives them.
    """
    resting = [run for run in runs if run.status != "running"]
    return resting[keep:]


def delete_run(run: Run, root: Path) -> None:
    """Delete a run's folder, looked at once more right before.

    `config.json` goes last, so that what is left of an interrupted deletion is still a run that can be cleaned.

    Raises
    ------
    InputRefusedError
        If the folder is no longer a real one directly under `root` with a trainer's configuration.
    FolderLockedError
        If the run is going on.
    OutputError
        If something cannot be deleted.
    """
    folder = root / run.folder.name
    if not is_run(folder):
        raise InputRefusedError(
            Message("'{folder}' is no run directly under '{root}', so it is not deleted.", folder=folder, root=root),
            remedy=Message("List the runs again."),
        )
    if read_run(folder).run.status == "running":
        raise FolderLockedError(
            Message("The run '{folder}' is in progress, so it is not deleted.", folder=folder),
            remedy=Message("Stop it first, or wait until it has not written anything for a quarter of an hour."),
            path=folder,
        )
    with output_errors(folder):
        with FolderLock(folder):
            _delete(entry for entry in os.scandir(folder) if entry.name not in _DELETED_LAST)
        _delete(entry for entry in os.scandir(folder) if entry.name != CONFIG_FILE)
        (folder / CONFIG_FILE).unlink()
        folder.rmdir()


def _delete(entries: Iterable[os.DirEntry[str]]) -> None:
    for entry in list(entries):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)
