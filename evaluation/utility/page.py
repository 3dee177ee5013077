"""`report.html` of the experiment: one self-contained page made of its sections."""

from __future__ import annotations

from collections.abc import Sequence

from core.utils.html import page, paragraph
from core.version import PRODUCT, __version__
from evaluation.report import STYLE, render_section
from evaluation.section import Section

ABOUT = (
    "For research and teaching only; never a diagnosis. Every arm had the same number of optimiser steps; every "
    "difference stands with its 95 % interval over test lesions and seeds."
)


def render_page(sections: Sequence[Section], created: str) -> str:
    """Return the page; `created` says when."""
    made = paragraph(f"{PRODUCT} {__version__}, {created}", "muted")
    head = "<h1>Does the synthetic data help a classifier?</h1>" + made
    return page("Does the synthetic data help?", [head, paragraph(ABOUT), *map(render_section, sections)], STYLE)
