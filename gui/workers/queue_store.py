"""The queue of runs as a file: read with care, written atomically, kept by one window at a time. No Qt."""

from __future__ import annotations

import enum
import json
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from core.errors import ISICGUIError
from core.generator.request import GenerationRequest
from core.utils.atomic import write_text_atomic
from core.utils.output_errors import output_errors
from core.utils.set_aside import set_aside

FILE_NAME: Final = "queue.json"
FORMAT: Final = 1


class QueueState(enum.Enum):
    """Where a queued run stands."""

    WAITING = "waiting"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    DONE = "done"
    FAILED = "failed"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class QueuedRun:
    """A run in the queue.

    Attributes
    ----------
    run_id
        The dataset's name of the run, as soon as it has begun; what is missing of it can be made by `resume`.
    note
        How it ended, in words.
    """

    request: GenerationRequest
    state: QueueState = QueueState.WAITING
    run_id: str = ""
    note: str = ""
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    def to_json(self) -> dict[str, Any]:
        """Return the run as plain JSON types."""
        return {
            "request": self.request.to_json(),
            "state": self.state.value,
            "run_id": self.run_id,
            "note": self.note,
            "key": self.key,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> QueuedRun:
        """Rebuild a run from `to_json`.

        Raises
        ------
        KeyError, TypeError, ValueError, ISICGUIError
            If it is none, or asks for what this version does not know.
        """
        request = GenerationRequest.from_json(data["request"])
        return cls(request, QueueState(data["state"]), str(data["run_id"]), str(data["note"]), str(data["key"]))


@dataclass(frozen=True, slots=True)
class LoadedQueue:
    """What was found: the runs that could be read, and what the user should know about the others."""

    runs: tuple[QueuedRun, ...] = ()
    notice: str = ""


class QueueStore:
    """The file of the queue in a folder of settings.

    The window that opens it first keeps it; another one may look on but has a queue of its own, which nobody saves.

    Attributes
    ----------
    is_kept
        Whether this window keeps the file.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._lock = FileLock(folder / "queue.lock", thread_local=False)
        self.is_kept = self._take()

    def load(self) -> LoadedQueue:
        """Read the runs; a file that cannot be read is set aside, one of another window is left alone."""
        if not self.is_kept or not self.path.exists():
            return LoadedQueue()
        try:
            entries = json.loads(self.path.read_text(encoding="utf-8"))["runs"]
            runs = [_read(entry) for entry in entries]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            return LoadedQueue(notice=self._set_aside(f"{type(error).__name__}: {error}"))
        known = tuple(run for run in runs if run)
        missing = len(runs) - len(known)
        return LoadedQueue(known, self._set_aside(f"{missing} of {len(runs)} runs make no sense") if missing else "")

    def save(self, runs: Sequence[QueuedRun]) -> None:
        """Write the runs, replacing what was written before.

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

    def _take(self) -> bool:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
        except (Timeout, OSError):
            return False
        return True

    def _set_aside(self, reason: str) -> str:
        name = self.path.name
        with suppress(OSError):
            name = set_aside(self.path).name
        return f"The queue of runs could not be read ({reason}). The file was kept as {name}."


def _read(entry: Any) -> QueuedRun | None:
    try:
        return QueuedRun.from_json(entry)
    except (KeyError, TypeError, ValueError, AttributeError, ISICGUIError):
        return None
