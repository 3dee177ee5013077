"""A report as a page: one self-contained HTML file, with its pictures in it and nothing loaded from anywhere."""

from __future__ import annotations

from reports.model import Report
from reports.templating import render


def render_html(report: Report) -> str:
    """Return the page."""
    return render("page.html", report=report)
