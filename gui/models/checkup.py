"""What `doctor` finds on this computer; it runs as a process of its own, because it loads torch to try it."""

from __future__ import annotations

from typing import Final

from PyQt5.QtCore import QObject, pyqtSignal

from core.checks import Check, Checked, DoctorRequest
from core.events import Event
from core.jobs.client import JobClient
from core.message import Message
from gui.workers.job import JobEnd, MakeClient, WorkerJob

GRACE_MS: Final = 500


class CheckupModel(QObject):
    """The findings so far.

    Signals
    -------
    changed
        Look at `findings` and `busy`.

    Attributes
    ----------
    findings
        Their sentences are in English, or messages that can be translated.
    make_client
        Makes the client of the next look; tests prepare its process.
    """

    changed = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.make_client: MakeClient = JobClient
        self._job: WorkerJob | None = None
        self.findings: tuple[Check, ...] = ()

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
        self._job = WorkerJob(DoctorRequest(), self, make_client=self.make_client)
        self._job.told.connect(self._take)
        self._job.ended.connect(self._end)
        self._job.start()
        self.changed.emit()

    def close(self) -> None:
        """Stop looking; the window is gone by then."""
        if self._job:
            self._job.leave(GRACE_MS)

    def _take(self, event: Event) -> None:
        if isinstance(event, Checked):
            self.findings += (event.check,)
            self.changed.emit()

    def _end(self, end: JobEnd) -> None:
        if end.error:
            self.findings += (Check(Message("System check"), "warn", end.error.message, end.error.remedy),)
        job, self._job = self._job, None
        if job:
            job.deleteLater()
        self.changed.emit()
