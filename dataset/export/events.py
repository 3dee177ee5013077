"""What an export tells while it is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from core.events import Event


@dataclass(frozen=True, slots=True)
class ExportStarted(Event):
    """Writing begins: so many files and bytes, the archive included."""

    name: ClassVar[str] = "started"
    target: Path
    format: str
    images: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Exporting(Event):
    """So many of all files are written, in a folder that nobody sees yet; at most ten times a second."""

    name: ClassVar[str] = "progress"
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class ExportFinished(Event):
    """The end: everything is under its final name, or (``stopped``) nothing is.

    Attributes
    ----------
    archive
        The zip file, or None if none was asked for.
    counts
        Images by part and class.
    """

    name: ClassVar[str] = "finished"
    status: Literal["completed", "stopped"]
    target: Path
    archive: Path | None
    format: str
    images: int
    files: int
    bytes: int
    counts: dict[str, dict[str, int]]
    seconds: float
