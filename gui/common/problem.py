"""What went wrong, in the form that is shown: three sentences, and details for whoever wants to report it."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.crash import write_report
from core.errors import ISICGUIError
from core.generation import GenerationRequest
from core.jobs.client import WorkerFaultError
from gui.i18n import mark, tr, translate


@dataclass(frozen=True, slots=True)
class FailedRun:
    """The run that a problem ended or held up, as far as it is needed to try again.

    Attributes
    ----------
    request
        None for interrupted runs of which only their folder knows.
    run_id
        Empty if the run had not begun.
    device, batch_size
        What the engine had decided on; empty and 0 if the run had not begun.
    """

    output: Path
    request: GenerationRequest | None = None
    run_id: str = ""
    device: str = ""
    batch_size: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a person meets it.

    Attributes
    ----------
    title
        A few words.
    message, remedy
        What happened and why; what to do about it.
    details
        Traceback and circumstances of an error nobody expected; empty for an expected one.
    report
        The report file that was written, if one was.
    path
        The file or folder concerned, if there is one.
    run
        The run concerned, if there is one.
    """

    title: str
    message: str
    remedy: str = ""
    details: str = ""
    kind: str = "error"
    report: Path | None = None
    path: Path | None = None
    run: FailedRun | None = None

    def report_text(self) -> str:
        """Return the problem as a report begins with it."""
        return "\n".join(text for text in (self.title, self.message, self.remedy, "", self.details) if text)

    @property
    def expected(self) -> bool:
        """Whether this is an error the program knows how to name."""
        return not self.details


TITLES: Final[Mapping[str, str]] = {
    "usage": mark("This is not possible as requested"),
    "unknown_class": mark("There is no such class"),
    "device": mark("Device not available"),
    "model": mark("The model cannot be used"),
    "model_missing": mark("There is no model"),
    "model_truncated": mark("The model file is incomplete"),
    "model_unsafe": mark("The model file is not safe"),
    "model_architecture": mark("The model has another architecture"),
    "model_not_finite": mark("The model's weights are damaged"),
    "model_too_large": mark("The model file is too large"),
    "download": mark("The models could not be downloaded"),
    "download_quota": mark("Google Drive download quota exceeded"),
    "download_sign_in": mark("The models are not public"),
    "checksum": mark("Checksum mismatch"),
    "archive": mark("The archive cannot be used"),
    "input": mark("The file or folder cannot be used"),
    "out_of_memory": mark("Not enough memory"),
    "output": mark("The output folder cannot be written"),
    "disk_full": mark("The disk is full"),
    "locked": mark("The output folder is in use"),
    "engine_died": mark("The engine stopped unexpectedly"),
}
UNNAMED = mark("That did not work")


def describe(error: BaseException, run: FailedRun | None = None) -> Problem:
    """Turn any exception into what the window shows; an unexpected one leaves a report file.

    Parameters
    ----------
    run
        The run that it ended, if it was one.
    """
    if isinstance(error, WorkerFaultError):
        return _unexpected(str(error), error, error.details)
    if isinstance(error, ISICGUIError):
        title = tr(TITLES.get(error.kind, UNNAMED))
        words = translate(error.message), translate(error.remedy)
        return Problem(title, *words, kind=error.kind, path=error.path, run=run)
    return _unexpected(f"{type(error).__name__}: {error}", error, "".join(traceback.format_exception(error)))


def _unexpected(words: str, error: BaseException, details: str) -> Problem:
    report = _try_report(error)
    remedy = tr("You can go on working. If it happens again, please send the details to the authors.")
    if report:
        remedy += "\n" + tr("A report was written to {path}").format(path=report)
    return Problem(
        title=tr("Unexpected error"),
        message=tr("Unexpected error: {error}").format(error=" ".join(words.split()).rstrip(": ")),
        remedy=remedy,
        details=details,
        kind="unexpected",
        report=report,
    )


def _try_report(error: BaseException) -> Path | None:
    try:
        return write_report(error)
    except OSError:
        return None
