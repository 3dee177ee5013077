"""A list of jobs as a file: read with care, written atomically, kept by one window at a time. No Qt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

from filelock import FileLock, Timeout

from core.errors import ISICGUIError
from core.message import Message
from core.utils.atomic import write_text_atomic
from core.utils.output_errors import output_errors
from core.utils.set_aside import set_aside

FORMAT: Final = 1


class Job(Protocol):
    """What can be kept."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types."""


Item = TypeVar("Item", bound=Job)


@dataclass(frozen=True, slots=True)
class LoadedList(Generic[Item]):
    """What was found: the jobs that could be read, and what the user should know about the others."""

    runs: tuple[Item, ...] = ()
    notice: str = ""


class ListStore(Generic[Item]):
    """A file of jobs in a folder of settings.

    The window that opens it first keeps it; another one may look on but has a list of its own, which nobody saves.

    Attributes
    ----------
    is_kept
        Whether this window keeps the file.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.json"
        self._lock = FileLock(folder / f"{name}.lock", thread_local=False)
        self.is_kept = self._take()

    def load(self) -> LoadedList[Item]:
        """Read the jobs; a file that cannot be read is set aside, one of another window is left alone."""
        if not self.is_kept or not self.path.exists():
            return LoadedList()
        try:
            entries = json.loads(self.path.read_text(encoding="utf-8"))["runs"]
            runs = [self._read_or_drop(entry) for entry in entries]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            return LoadedList(notice=self._set_aside(f"{type(error).__name__}: {error}"))
        known = tuple(run for run in runs if run is not None)
        missing = len(runs) - len(known)
        if not missing:
            return LoadedList(known)
        return LoadedList(
            known, self._set_aside(Message("{missing} of {n} runs make no sense", missing=missing, n=len(runs)))
        )

    def save(self, runs: Sequence[Item]) -> None:
        """Write the jobs, replacing what was written before.

        Raises
        ------
        OutputError
            If that is not possible; then the file is what it was.
        """
        if not self.is_kept:
            return
        text = json.dumps({"format": FORMAT, "runs": [run.to_json() for run in runs]}, indent=1, ensure_ascii=False)
        with output_errors(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_text_atomic(self.path, text + "\n")

    def close(self) -> None:
        """Leave the file to the next window."""
        self._lock.release()

    def read(self, entry: Any) -> Item:
        """Rebuild a job from its JSON.

        Raises
        ------
        KeyError, TypeError, ValueError, AttributeError, ISICGUIError
            If it is none, or asks for what this version does not know.
        """
        raise NotImplementedError

    def notice(self, reason: str, name: str) -> Message:
        """Say that the file could not be read and what it is called now."""
        raise NotImplementedError

    def _read_or_drop(self, entry: Any) -> Item | None:
        try:
            return self.read(entry)
        except (KeyError, TypeError, ValueError, AttributeError, ISICGUIError):
            return None

    def _take(self) -> bool:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
        except (Timeout, OSError):
            return False
        return True

    def _set_aside(self, reason: str) -> Message:
        name = self.path.name
        with suppress(OSError):
            name = set_aside(self.path).name
        return self.notice(reason, name)
