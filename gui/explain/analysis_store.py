"""Analyses of trajectories: how each stands, and the file that keeps them. No Qt, no torch."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.message import Message
from core.taxonomy import CLASS_CODES, parse_class
from core.utils.field_types import misfit
from gui.workers.list_store import ListStore
from xai.trajectory.request import TrajectoryRequest


class AnalysisState(enum.Enum):
    """Where an analysis stands."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    INTERRUPTED = "interrupted"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Analysis:
    """One analysis in the list.

    Attributes
    ----------
    folder
        Where it writes, as soon as that is known.
    note
        How it ended: the verdict, or why it failed.
    fraction, stage, done, total
        How far it is: of the whole, 0..1, and within a stage, which is said in English.
    """

    request: TrajectoryRequest
    state: AnalysisState = AnalysisState.WAITING
    folder: Path | None = None
    note: str = ""
    fraction: float = 0.0
    stage: str = ""
    done: int = 0
    total: int = 0
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        if name := misfit(self):
            raise ValueError(f"no usable '{name}'")

    def to_json(self) -> dict[str, Any]:
        """Return what is kept, as plain JSON types."""
        return {
            "request": self.request.to_json(),
            "state": self.state.value,
            "folder": None if self.folder is None else str(self.folder),
            "note": self.note,
            "fraction": self.fraction,
            "key": self.key,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Analysis:
        """Rebuild an analysis from `to_json`; the exceptions are those of `read_request`."""
        return cls(
            read_request(data["request"]),
            AnalysisState(data["state"]),
            None if data["folder"] is None else Path(data["folder"]),
            data["note"],
            data["fraction"],
            key=data["key"],
        )


def read_request(data: Mapping[str, Any]) -> TrajectoryRequest:
    """Rebuild a request from its `to_json`, or from what earlier versions kept of one.

    Raises
    ------
    LookupError, TypeError, ValueError, AttributeError, ISICGUIError
        If it is none, or asks for what this version does not know.
    """
    is_earlier = "class_code" in data
    values = _of_earlier_version(data) if is_earlier else dict(data)
    for name in ("output", "image", "models", "classifier"):
        values[name] = None if values[name] is None else Path(values[name]).absolute()
    for name in ("classes", "methods"):
        values[name] = tuple(values[name])
    request = TrajectoryRequest(**values)
    if name := misfit(request):
        raise ValueError(f"no usable '{name}'")
    return request.of_image() if is_earlier and request.image else request  # its command did not say what else was kept


def _of_earlier_version(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request that had one class or all."""
    values = {key: value for key, value in data.items() if key != "class_code"}
    code = data["class_code"]
    values["classes"] = CLASS_CODES if code == "all" else (parse_class(code),)
    return values


class AnalysisStore(ListStore[Analysis]):
    """The file of the analyses in a folder of settings."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "analyses")

    def read(self, entry: Any) -> Analysis:
        """Rebuild an analysis."""
        return Analysis.from_json(entry)

    def notice(self, reason: str, name: str) -> Message:
        """Say that the list could not be read."""
        return Message(
            "The list of analyses could not be read ({reason}). The file was kept as {name}.", reason=reason, name=name
        )
