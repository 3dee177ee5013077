"""What a look at this machine is asked for and tells; nothing heavy is imported."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from core.events import Event
from core.jobs.registry import Request, job

Status = Literal["ok", "warn", "fail"]


@job("core.doctor:run_doctor")
@dataclass(frozen=True, slots=True)
class DoctorRequest(Request):
    """What this machine has and what is missing."""

    command: ClassVar[tuple[str, ...]] = ("doctor",)


@dataclass(frozen=True, slots=True)
class Check:
    """One finding.

    Attributes
    ----------
    status
        ``ok``; ``warn``: something works worse or not at all, the rest does; ``fail``: nothing useful works.
    remedy
        What to do about it; empty if there is nothing to do.
    """

    name: str
    status: Status
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Checked(Event):
    """One thing was looked at."""

    name: ClassVar[str] = "check"
    check: Check

    @property
    def exit_code(self) -> int:
        """1 if something necessary is missing."""
        return int(self.check.status == "fail")

    def to_json(self) -> dict[str, Any]:
        """Return the finding beside the event's name."""
        return {"event": "check", **dataclasses.asdict(self.check)}
