"""The report of an evaluation, from the verdicts at the top down to every number."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from PIL import Image

from core.version import PRODUCT, __version__
from evaluation.results import Findings, SetFindings
from evaluation.sets import ImageSet
from reports.model import (
    Block,
    Bullets,
    Details,
    Facts,
    Figure,
    Gallery,
    Paragraph,
    Report,
    Section,
    Table,
    Text,
    Verdict,
    level_span,
)

REPORT_FILE: Final = "report.html"
PDF_FILE: Final = "report.pdf"
EXAMPLES: Final = 16
SIDE: Final = 96

ABOUT: Final = (
    "For research and teaching only; never a diagnosis. No number here shows that an image is medically plausible: "
    "only experts in skin lesions can judge that. Each number is given with n, its CI and a real-vs-real baseline."
)


def created_now() -> str:
    """Return the date and time that a report carries."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def report_of(findings: Findings) -> Report:
    """Return the report."""
    names = ", ".join(found.name for found in findings.sets)
    made = f"{PRODUCT} {__version__}, {findings.created}. Compared at {findings.side} x {findings.side} pixels."
    sections = [
        Section("Summary", list(_overview(findings))),
        *(section for found in findings.sets for section in _set_sections(found, len(findings.sets) > 1)),
        Section("What was compared", list(_about_sets(findings))),
    ]
    lead = [Paragraph(made, "muted"), Paragraph(ABOUT)]
    return Report("Evaluation of synthetic images", lead, sections, f"{PRODUCT} evaluation: {names}")


def _overview(findings: Findings) -> Iterator[Block]:
    for found in findings.sets:
        yield Verdict(found.level, f"{found.name}: {found.verdict}")
    titles = list(dict.fromkeys(one.title for found in findings.sets for one in found.sections))
    rows = [_overview_row(found, titles) for found in findings.sets]
    words = frozenset({0, *range(2, 3 + len(titles))})
    yield Table(("set", "images", "overall", *titles), rows, words=words)
    measured = ((found.name, one) for found in findings.sets for one in found.sections)
    verdicts = [Verdict(one.level, one.verdict, f"{name}, {one.title}:") for name, one in measured]
    yield Details("Every measurement in a sentence", verdicts)


def _overview_row(found: SetFindings, titles: list[str]) -> tuple[Text, ...]:
    levels = {one.title: level_span(one.level) for one in found.sections}
    return (found.name, str(len(found.images)), level_span(found.level), *(levels.get(title, "–") for title in titles))


def _set_sections(found: SetFindings, several: bool) -> Iterator[Section]:
    prefix = f"{found.name}: " if several else ""
    examples = Gallery([_thumbnail(row, found.images) for row in example_rows(found.images)], SIDE)
    words = Paragraph("The first images of each class, not selected.", "muted")
    yield Section(f"{prefix}Examples", [words, examples], new_page=True)
    for one in found.sections:
        yield one.section(prefix)


def example_rows(images: ImageSet, most: int = EXAMPLES) -> list[int]:
    """Return the first images of each class in turn."""
    by_class: dict[str | None, list[int]] = {}
    for row, image in enumerate(images.images):
        by_class.setdefault(image.code, []).append(row)
    each = max(1, most // max(1, len(by_class)))
    return [row for rows in by_class.values() for row in rows[:each]][:most]


def _thumbnail(row: int, images: ImageSet) -> Figure:
    square = images.only([row]).pixels(SIDE)[0].transpose(1, 2, 0)
    stream = io.BytesIO()
    Image.fromarray(square).save(stream, "PNG")
    return Figure(stream.getvalue(), images.images[row].name)


def _about_sets(findings: Findings) -> Iterator[Block]:
    shown = [found.images for found in findings.sets] + [findings.real] + ([findings.train] if findings.train else [])
    yield Facts([(one.name, _about_set(one)) for one in shown])
    notes = [*findings.notes, *(f"{one.name}: {note}" for one in shown for note in one.notes)]
    if notes:
        yield Bullets(notes)
    yield Paragraph("All images are cropped to the central square and resized with antialiasing in the same way.")
    settings = [(name, value) for name, value in findings.settings.items() if value not in (None, "", [])]
    yield Details("Settings", [Facts(settings), Facts(list(findings.spaces.items()))])


def _about_set(images: ImageSet) -> str:
    counts = ", ".join(f"{code} {count}" for code, count in images.counts.items()) or "classes unknown"
    unreadable = f", {len(images.unreadable)} unreadable" if images.unreadable else ""
    return f"{len(images)} images, {counts}{unreadable}"
