"""The training runs of a folder, read beside the GUI thread, with what the window can do with each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.message import Message

if TYPE_CHECKING:
    from training.experiments import Run

REPORT: Final = "report.html"
_USABLE: Final[Mapping[str, tuple[str, ...]]] = {"diffusion": ("best", "pack"), "classifier": ("model",)}
"""By kind: folders of a run that hold a model, the better one first."""


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One run.

    Attributes
    ----------
    data
        Its photographs; empty if its configuration does not say.
    model
        The folder that holds what it has learnt, if there is one yet.
    report
        Its report for people, if there is one yet.
    """

    run: Run
    data: str
    model: Path | None
    report: Path | None

    @property
    def can_resume(self) -> bool:
        """Whether it was begun and not finished, and nobody is at it."""
        return self.run.status == "interrupted" and bool(self.data)


@dataclass(frozen=True, slots=True)
class RunLog:
    """What a run has written down: its rows, oldest first, and its newest sheet of samples."""

    folder: Path
    rows: Sequence[Mapping[str, Any]]
    sheet: Path | None


def list_entries(root: Path, ended: frozenset[Path] = frozenset()) -> list[RunEntry]:
    """Return the runs in a folder, the newest first; none if the folder is not there.

    Parameters
    ----------
    ended
        Runs that are known to have ended, though their files are too young to tell.

    Raises
    ------
    InputRefusedError
        If the folder cannot be read.
    """
    from training.experiments import list_runs
    from training.run_folder import CONFIG_FILE, read_object

    entries = []
    runs = list_runs(root) if root.is_dir() else []
    for run in (run for run in runs if run.kind in _USABLE):  # others are for the command line alone
        if run.status == "running" and run.folder in ended:
            run = replace(run, status="interrupted")
        data = read_object(run.folder / CONFIG_FILE).get("data")
        report = run.folder / REPORT
        entries.append(
            RunEntry(
                run,
                data if isinstance(data, str) else "",
                _model(run.folder, run.kind),
                report if report.is_file() else None,
            )
        )
    return entries


def list_damaged(root: Path) -> dict[Path, Message]:
    """Return the folders that look like runs but cannot be read as such, each with what is wrong.

    Raises
    ------
    InputRefusedError
        If the folder cannot be read.
    """
    from training.experiments import damaged_runs

    return damaged_runs(root) if root.is_dir() else {}


def read_log(folder: Path) -> RunLog:
    """Return what a run has written down."""
    from training.run_folder import LOG_FILE, read_rows

    sheets = sorted((folder / "samples").glob("*.png"), key=lambda path: path.stat().st_mtime)
    return RunLog(folder, read_rows(folder / LOG_FILE), sheets[-1] if sheets else None)


def _model(folder: Path, kind: str) -> Path | None:
    found = (folder / name for name in _USABLE.get(kind, ()))
    return next((place for place in found if place.is_dir() and any(place.iterdir())), None)
