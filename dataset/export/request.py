"""What an export is asked for, as a job; nothing heavy is imported."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from core.jobs.options import option
from core.jobs.registry import Request, job
from dataset.export.options import ExportOptions, Format, format_option


@job("dataset.export.job:run_export")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest(ExportOptions, Request):
    """One export of an output folder, or only its preview.

    Attributes
    ----------
    output
        The folder that is exported; nothing in it is changed.
    preview
        Only say what would be written.
    expected
        `ExportPlan.fingerprint` of what somebody has seen and agreed to: anything else is refused. "" for anything.
    """

    command: ClassVar[tuple[str, ...]] = ("export",)

    output: Path = option("", "The folder that is exported.", kind="folder")
    format: Format = format_option()
    preview: bool = option("--preview", "Only report what would be written.", kind="switch", default=False)
    expected: str = ""

    @property
    def options(self) -> ExportOptions:
        """What to write, of which images, and where."""
        return ExportOptions(**{one.name: getattr(self, one.name) for one in dataclasses.fields(ExportOptions)})

    @classmethod
    def of(cls, output: Path, options: ExportOptions, expected: str = "") -> ExportRequest:
        """Return the request for an export with these options."""
        chosen = {one.name: getattr(options, one.name) for one in dataclasses.fields(options)}
        return cls(output=output, expected=expected, **chosen)
