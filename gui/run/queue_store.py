"""The queue of runs as a file. No Qt."""

from __future__ import annotations

import enum
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.generation import GenerationRequest
from core.message import Message
from core.utils.field_types import misfit
from gui.workers.list_store import ListStore


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

    def __post_init__(self) -> None:
        if name := misfit(self):
            raise ValueError(f"no usable '{name}'")

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
        if not (request.models.is_absolute() and request.output.is_absolute()):
            raise ValueError("its folders depend on where the program was started")
        return cls(request, QueueState(data["state"]), data["run_id"], data["note"], data["key"])


class QueueStore(ListStore[QueuedRun]):
    """The file of the queue in a folder of settings."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "queue")

    def read(self, entry: Any) -> QueuedRun:
        """Rebuild a run."""
        return QueuedRun.from_json(entry)

    def notice(self, reason: str, name: str) -> Message:
        """Say that the queue could not be read."""
        return Message(
            "The queue of runs could not be read ({reason}). The file was kept as {name}.", reason=reason, name=name
        )
