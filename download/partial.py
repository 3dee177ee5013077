"""What has arrived of an archive so far, and whether the rest of the same file can be put behind it.

An attempt may report progress and fail in few ways; how long a download waits and how often it tries again stands here.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from core.events import Event
from core.files.atomic import write_text_atomic
from core.jobs.stream import JobStopped
from core.models.pack import read_json
from download.source import RemoteSource


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds.

    Attributes
    ----------
    connect
        Until a server answers at all.
    silence
        That a server may send nothing in the middle of a file.
    pauses
        Before each further attempt. Attempts are counted again whenever a byte has come, so a connection that breaks
        every minute still brings the whole file.
    standstill
        After which a download without any byte is given up, whatever it is waiting for.
    """

    connect: float = 15.0
    silence: float = 30.0
    pauses: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0)
    standstill: float = 180.0


PATIENCE: Final = Patience()


WORK_NAME: Final = ".download"
"""Folder inside the models folder, and so on the same drive; hidden, so that no models are looked for in it."""

_STATE: Final = "state.json"
_ARCHIVE: Final = "archive.zip"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the server said of the file when its first byte came; None where it said nothing."""

    total: int | None = None
    etag: str | None = None
    modified: str | None = None

    @property
    def validator(self) -> str | None:
        """What `If-Range` may name: a strong entity tag, else the time of the last change."""
        if self.etag is not None and not self.etag.startswith("W/"):
            return self.etag
        return self.modified


class Partial:
    """One source's folder below the models folder.

    Parameters
    ----------
    target
        The models folder.
    """

    def __init__(self, target: Path, source: RemoteSource) -> None:
        self.source = source
        self.folder = target / WORK_NAME / hashlib.sha256(source.key.encode()).hexdigest()[:12]

    @property
    def archive(self) -> Path:
        """Where the complete archive lies once it is complete."""
        return self.folder / _ARCHIVE

    @property
    def part(self) -> Path:
        """Where the beginning of it is, or will be; gdown puts eight letters before the ending."""
        found = sorted(self._parts(), key=lambda path: path.stat().st_size)
        return found[-1] if found else self.folder / f"{_ARCHIVE}.part"

    @property
    def received(self) -> int:
        """Bytes that are there."""
        place = self.archive if self.archive.is_file() else self.part
        return place.stat().st_size if place.is_file() else 0

    def open(self) -> None:
        """Make the folder; of several beginnings, which two programs must have left, keep the longest.

        One that has a second name elsewhere would be written on there, too: it is given up.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self._parts():
            if path.stat().st_nlink > 1:
                path.unlink()
        for path in set(self._parts()) - {self.part}:
            path.unlink()

    def seen(self) -> Seen:
        """Return what was remembered of the file; nothing if that cannot be read."""
        try:
            data = read_json(self.folder / _STATE)
            return Seen(_whole(data["total"]), _text(data["etag"]), _text(data["modified"]))
        except (ValueError, KeyError):
            return Seen()

    def remember(self, seen: Seen) -> None:
        """Write down what the server says of the file."""
        write_text_atomic(self.folder / _STATE, json.dumps({"source": self.source.key, **asdict(seen)}))

    def restart(self) -> None:
        """Forget what has arrived."""
        for path in (*self._parts(), self.archive, self.folder / _STATE):
            path.unlink(missing_ok=True)

    def complete(self, path: Path) -> Path:
        """Give a part, which is whole, the name of an archive."""
        path.replace(self.archive)
        return self.archive

    def clear(self) -> None:
        """Remove everything, and the folders if nothing else is in them."""
        self.restart()
        for folder in (self.folder, self.folder.parent):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def _parts(self) -> list[Path]:
        return list(self.folder.glob(f"{_ARCHIVE}*.part"))


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text(value: object) -> str | None:
    """Return what may stand in a header of a request."""
    return value if isinstance(value, str) and value.isascii() and value.isprintable() and len(value) < 300 else None


class Interrupted(Exception):  # noqa: N818  # tried again by whoever called
    """The connection broke, which another attempt may mend; the text says how."""


class RestartNeeded(Exception):  # noqa: N818  # begun anew by whoever called
    """What is there of the file cannot be continued; the text says why."""


@dataclass(frozen=True)
class Attempt:
    """What one attempt works with.

    Attributes
    ----------
    progress
        Called with the bytes that are there and the file's size (None: unknown) whenever some have come.
    report
        Called with any other event.
    stop
        Set when the download must end; looked at after every piece.
    """

    partial: Partial
    patience: Patience
    progress: Callable[[int, int | None], None]
    report: Callable[[Event], None]
    stop: threading.Event

    def check(self) -> None:
        """Raise `JobStopped` if the download was told to stop; what has arrived is kept."""
        if self.stop.is_set():
            raise JobStopped
