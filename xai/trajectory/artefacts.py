"""Writes what is left of one image's analysis. Numbers first; a picture that fails costs nothing but itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import reports
from core.files.atomic import output_errors
from core.files.text import finite_json
from core.jobs.stream import JobContext
from core.keeping import replace_kept, replace_kept_text
from reports.html import render_html
from reports.model import Report
from xai.trajectory.folders import ANALYSIS_FILE, REPORT_FILE

logger = logging.getLogger(__name__)

Picture = Callable[[], bytes]
"""Draws a picture and returns it as a PNG file."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Pictures that were drawn, by file name, and why others were not."""

    pictures: Mapping[str, bytes]
    failed: Mapping[str, str]


def write_numbers(folder: Path, data: Mapping[str, Any], arrays: Mapping[str, bytes]) -> None:
    """Write the arrays and an `analysis.json` that is not yet marked complete.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in arrays.items():
            replace_kept(folder / name, content)
        replace_kept_text(folder / ANALYSIS_FILE, finite_json({**data, "complete": False}))


def draw_pictures(folder: Path, pictures: Mapping[str, Picture], context: JobContext | None = None) -> Drawn:
    """Draw and write pictures; one that fails is noted and the others are drawn all the same.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    context = context or JobContext()
    drawn, failed = {}, {}
    for done, (name, draw) in enumerate(pictures.items()):
        context.progress(done, len(pictures), unit="pictures")
        try:
            drawn[name] = draw()
        except Exception as error:  # noqa: BLE001  the boundary: whatever is wrong with a plot, the numbers stand
            logger.warning("The figure %s failed: %r", name, error)
            failed[name] = repr(error)
            continue
        with output_errors(folder):
            replace_kept(folder / name, drawn[name])
    return Drawn(drawn, failed)


def write_report(folder: Path, data: Mapping[str, Any], drawn: Drawn, report: Report) -> None:
    """Write the report and, last of all, the complete `analysis.json`.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    listed = {"pictures": list(drawn.pictures), "pictures_failed": dict(drawn.failed), "complete": True}
    with output_errors(folder):
        reports.write(folder / REPORT_FILE, render_html(report))
        replace_kept_text(folder / ANALYSIS_FILE, finite_json({**data, **listed}))
