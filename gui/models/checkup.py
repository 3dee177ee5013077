"""What `doctor` finds on this computer; it runs as a process of its own, because it loads torch to try it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from PyQt5.QtCore import QObject, pyqtSignal

from core.message import Message
from gui.workers.command_job import CommandJob, JobEnd

Status = Literal["ok", "warn", "fail"]
GRACE_MS: Final = 500

MakeJob = Callable[[Sequence[str], QObject], CommandJob]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `doctor`; its sentences are in English, or messages that can be translated."""

    name: str
    status: Status
    detail: str
    remedy: str


class CheckupModel(QObject):
    """The findings so far.

    Signals
    -------
    changed
        Look at `findings` and `busy`.
    """

    changed = pyqtSignal()

    def __init__(self, parent: QObject | None = None, *, make_job: MakeJob = CommandJob) -> None:
        super().__init__(parent)
        self._make_job = make_job
        self._job: CommandJob | None = None
        self.findings: tuple[Finding, ...] = ()

    @property
    def busy(self) -> bool:
        """Whether the computer is being looked at."""
        return self._job is not None

    @property
    def is_well(self) -> bool:
        """Whether nothing stands in the way of generating images; False while that is not known."""
        return bool(self.findings) and not self.busy and all(finding.status == "ok" for finding in self.findings)

    def look(self) -> None:
        """Look at this computer anew, unless that is going on."""
        if self._job:
            return
        self.findings = ()
        self._job = self._make_job(("doctor",), self)
        self._job.told.connect(self._take)
        self._job.ended.connect(self._end)
        self._job.start()
        self.changed.emit()

    def close(self) -> None:
        """Stop looking; the window is gone by then."""
        if self._job:
            self._job.leave(GRACE_MS)

    def _take(self, event: dict[str, Any]) -> None:
        if event["event"] == "check":
            status: Status = event["status"] if event["status"] in ("ok", "warn") else "fail"
            self.findings += (Finding(event["name"], status, event["detail"], event["remedy"]),)
            self.changed.emit()

    def _end(self, end: JobEnd) -> None:
        if end.error or end.exit_code not in (0, 1):
            words = end.error.message if end.error else Message("the examination ended with {code}", code=end.exit_code)
            self.findings += (Finding(Message("Examination"), "warn", words, end.error.remedy if end.error else ""),)
        self._job = None
        self.changed.emit()
