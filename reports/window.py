"""A report in the window: the subset of HTML that Qt's text browser understands."""

from __future__ import annotations

from collections.abc import Mapping

from reports.model import Report
from reports.templating import render


def render_rich_text(report: Report, colours: Mapping[str, str]) -> str:
    """Return the report as rich text.

    Parameters
    ----------
    colours
        Of the window's theme: ``muted`` and each level.
    """
    return render("window.html", report=report, colours=colours)
