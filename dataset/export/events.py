"""What an export tells beside how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from core.events import INTERRUPTED, Event


@dataclass(frozen=True, slots=True)
class LeftOut(Event):
    """A file that would have been taken if it could be read."""

    name: ClassVar[str] = "left_out"
    file: Path
    reason: str


@dataclass(frozen=True, slots=True)
class ExportPlanned(Event):
    """What an export would write; the end of a preview.

    Attributes
    ----------
    options
        The fields of `ExportOptions`.
    files, bytes
        Of the folder, without the archive.
    counts
        Images by part and class.
    tree
        Number of files in each folder, by its path.
    left_out
        File and reason of each picture that cannot be read.
    """

    name: ClassVar[str] = "plan"
    ends: ClassVar[bool] = True
    output: Path
    options: Mapping[str, Any]
    images: int
    files: int
    bytes: int
    archive_bytes: int
    counts: Mapping[str, Mapping[str, int]]
    tree: Mapping[str, int]
    left_out: tuple[Mapping[str, Any], ...]
    warnings: tuple[str, ...]


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
    ends: ClassVar[bool] = True
    status: Literal["completed", "stopped"]
    target: Path
    archive: Path | None
    format: str
    images: int
    files: int
    bytes: int
    counts: dict[str, dict[str, int]]
    seconds: float

    @property
    def exit_code(self) -> int:
        """That of an interruption, if it was stopped."""
        return INTERRUPTED if self.status == "stopped" else 0
