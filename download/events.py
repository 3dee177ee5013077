"""What a download or an import yields while it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from core.events import INTERRUPTED, REFUSED, Event, Progress

Status = Literal["complete", "already", "partial", "refused", "stopped"]
"""All of it is there; it was there before; some files were refused; all were; stopped on demand."""


@dataclass(frozen=True, slots=True)
class Fetching(Event):
    """A download begins, or goes on at `received` bytes; sizes in bytes, `expected` may be an estimate."""

    name: ClassVar[str] = "fetching"
    address: str
    folder: Path
    received: int
    expected: int | None
    free: int


@dataclass(frozen=True, slots=True)
class Downloading(Event):
    """Bytes have come, at most five times a second.

    `total` is None if the server does not say; `rate` (bytes a second over the last seconds) and `remaining` (seconds)
    are None until they can be known.
    """

    name: ClassVar[str] = "downloading"
    received: int
    total: int | None
    rate: float | None
    remaining: float | None

    @property
    def progress(self) -> Progress:
        """Bytes; the whole is 0 where the server does not say it."""
        return Progress.of(self.received, self.total or 0, "bytes")


@dataclass(frozen=True, slots=True)
class Retrying(Event):
    """The connection broke; after `seconds` it is tried again, from where it broke."""

    name: ClassVar[str] = "retrying"
    attempt: int
    attempts: int
    seconds: float
    message: str


@dataclass(frozen=True, slots=True)
class Restarting(Event):
    """What was there of the file is of no use any more; it is fetched from its beginning."""

    name: ClassVar[str] = "restarting"
    message: str


@dataclass(frozen=True, slots=True)
class Verifying(Event):
    """A file, or the archive, is being checked."""

    name: ClassVar[str] = "verifying"
    member: str


@dataclass(frozen=True, slots=True)
class Extracting(Event):
    """A file is being unpacked or copied; `done` of `total` bytes of all files."""

    name: ClassVar[str] = "extracting"
    member: str
    done: int
    total: int

    @property
    def progress(self) -> Progress:
        """Bytes of all files."""
        return Progress.of(self.done, self.total, "bytes")


@dataclass(frozen=True, slots=True)
class Installed(Event):
    """A file has passed its checks and is in its place; `replaced` is where an older one of that name went."""

    name: ClassVar[str] = "installed"
    member: str
    file: Path
    sha256: str
    replaced: Path | None = None


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """A file was not taken; the others go on."""

    name: ClassVar[str] = "refused"
    member: str
    kind: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The end, always the last event of a stream that does not raise.

    `files` are in `folder`, checked; `refused` names what was not taken. `sha256` is the archive's (None for a folder);
    `first_seen` says that nothing was known to compare it with, and that it is remembered from now on. `kept` is an
    archive or a part of one that stays for the next time.
    """

    name: ClassVar[str] = "finished"
    ends: ClassVar[bool] = True
    status: Status
    folder: Path
    files: tuple[str, ...]
    classes: tuple[str, ...]
    refused: tuple[str, ...] = ()
    sha256: str | None = None
    first_seen: bool = False
    kept: Path | None = None

    @property
    def exit_code(self) -> int:
        """That of an interruption, or of refused models."""
        if self.status == "stopped":
            return INTERRUPTED
        return REFUSED if self.refused else 0
