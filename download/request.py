"""What a download of models is asked for; nothing heavy is imported.

Its events are told here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from core.errors import UsageError
from core.events import INTERRUPTED, REFUSED, Event, Progress
from core.jobs.options import option
from core.jobs.registry import Request, job
from core.message import Message
from core.utils.path_manager import PathManager
from download.source import ORIGINALS, DriveSource, Source, checked_sum, local_source, remote_source

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


@job("download.job:run_download")
@dataclass(frozen=True, slots=True)
class DownloadRequest(Request):
    """Models to be fetched or imported.

    Attributes
    ----------
    target
        The models folder that they go into.
    file, url
        A zip archive or folder on this computer, or the address of an archive; ISICGenerator's archive without both.
    sha256
        What the archive must have, in 64 hexadecimal digits; None if its first arrival is remembered.
    """

    command: ClassVar[tuple[str, ...]] = ("models", "download")

    target: Path = option(
        "--to", "Models folder to fill.", kind="folder", fallback=lambda: PathManager().checkpoints_dir,
        default_words="checkpoints", writes=True,
    )  # fmt: skip
    file: Path | None = option(
        "--from-file",
        "Import this archive or folder, without a download.",
        kind="path",
        metavar="ZIP|FOLDER",
        default=None,
    )
    url: str | None = option(
        "--url", "Address of another zip archive.", default=None, default_words="ISICGenerator's, on Google Drive"
    )
    sha256: str | None = option(
        "--sha256", "Expected SHA-256 [default: that of the first download].", metavar="SUM",
        default=None,
    )  # fmt: skip

    @property
    def source(self) -> Source:
        """Where they come from.

        Raises
        ------
        UsageError
            If two places are named, or what is named cannot be one.
        ModelMissingError
            If there is nothing at the place on this computer.
        """
        if self.file is not None and self.url is not None:
            raise UsageError(
                Message("The models can come from --from-file or from --url, not from both."),
                remedy=Message("Leave one out."),
            )
        if self.file is not None:
            return local_source(self.file, self.sha256)
        if self.url is not None:
            return remote_source(self.url, self.sha256)
        return DriveSource(ORIGINALS.file_id, checked_sum(self.sha256))
