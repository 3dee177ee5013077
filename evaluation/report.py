"""`report.html`: one self-contained page, from the verdicts at the top down to every number."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from PIL import Image

from core.utils.html import folded, items, numbers, page, pairs, paragraph, picture, section
from core.version import PRODUCT, __version__
from evaluation.results import Findings, SetFindings
from evaluation.section import Level, Part, Picture, Section, Table, Words
from evaluation.sets import ImageSet

REPORT_FILE: Final = "report.html"
EXAMPLES: Final = 16
SIDE: Final = 96

LEVELS: Final[dict[Level, tuple[str, str]]] = {
    "good": ("●", "good"),
    "doubt": ("▲", "doubt"),
    "bad": ("■", "bad"),
    "unknown": ("○", "not known"),
}
"""A sign and a word for each level: nobody has to tell them by their colour."""

STYLE: Final = """
.verdict { font-size: 18px; font-weight: 600; margin: 12px 0 4px; }
.good { color: #1a7f37; } .doubt { color: #946200; } .bad { color: #c0262d; } .unknown { color: #57606a; }
.warning { border-left: 4px solid #9a6700; padding-left: 12px; }
table.overview th { white-space: normal; vertical-align: bottom; }
tr.muted td { color: #8b949e; }
img.example { display: inline-block; margin: 2px; border-radius: 3px; }
"""

ABOUT: Final = (
    "For research and teaching only; never a diagnosis. No number here says that an image is medically plausible: only "
    "people who know skin lesions can. Each number stands with its n, its interval, and what real photographs reach."
)


def render_report(findings: Findings) -> str:
    """Return the page."""
    several = len(findings.sets) > 1
    parts = [
        f"<h1>Is this synthetic set any good?</h1>{paragraph(_subtitle(findings), 'muted')}{paragraph(ABOUT)}",
        section("In short", _overview(findings)),
        *(part for found in findings.sets for part in _set_parts(found, several)),
        section("What was compared", *_about_sets(findings)),
    ]
    return page(f"{PRODUCT} evaluation: {', '.join(found.name for found in findings.sets)}", parts, STYLE)


def _subtitle(findings: Findings) -> str:
    return f"{PRODUCT} {__version__}, {findings.created}. Compared at {findings.side} x {findings.side} pixels."


def _overview(findings: Findings) -> str:
    rows = "".join(_overview_row(found) for found in findings.sets)
    titles = list(dict.fromkeys(one.title for found in findings.sets for one in found.sections))
    head = "".join(f"<th>{escape(title)}</th>" for title in ("set", "images", "altogether", *titles))
    table = f'<div class="scroll"><table class="numbers overview"><tr>{head}</tr>{rows}</table></div>'
    verdicts = "".join(
        f'<p class="verdict {found.level}">{_sign(found.level)} {escape(found.name)}: {escape(found.verdict)}</p>'
        for found in findings.sets
    )
    return verdicts + table


def _overview_row(found: SetFindings) -> str:
    cells = [escape(found.name), str(len(found.images)), _level(found.level)]
    cells += [_level(one.level) for one in found.sections]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _level(level: Level) -> str:
    return f'<span class="{level}">{_sign(level)} {LEVELS[level][1]}</span>'


def _sign(level: Level) -> str:
    return LEVELS[level][0]


def _set_parts(found: SetFindings, several: bool) -> Iterator[str]:
    prefix = f"{found.name}: " if several else ""
    yield section(
        f"{prefix}Examples", paragraph("The first images of each class, not selected.", "muted"), _examples(found)
    )
    for one in found.sections:
        yield render_section(one, prefix)


def render_section(one: Section, prefix: str = "") -> str:
    """Return a section with its verdict and its parts; `prefix` comes before its title."""
    verdict = f'<p class="verdict {one.level}">{_sign(one.level)} {escape(one.verdict)}</p>'
    return section(prefix + one.title, verdict, *map(_part, one.parts))


def _part(part: Part) -> str:
    if isinstance(part, Words):
        return paragraph(part.text, part.kind)
    if isinstance(part, Picture):
        return picture(part.png, part.caption) + paragraph(part.caption, "muted")
    if part.unfolded:
        return _table(part)
    return folded(part.caption or "Numbers", _table(part))


def _table(table: Table) -> str:
    if not table.muted:
        return numbers(table.head, table.rows)
    head = "".join(f"<th>{escape(name)}</th>" for name in table.head)
    body = "".join(
        f"<tr{' class=muted' if place in table.muted else ''}>{''.join(f'<td>{escape(c)}</td>' for c in row)}</tr>"
        for place, row in enumerate(table.rows)
    )
    return f'<div class="scroll"><table class="numbers"><tr>{head}</tr>{body}</table></div>'


def _examples(found: SetFindings) -> str:
    return "".join(_thumbnail(row, found.images) for row in example_rows(found.images))


def example_rows(images: ImageSet, most: int = EXAMPLES) -> list[int]:
    """Return the first images of each class in turn."""
    by_class: dict[str | None, list[int]] = {}
    for row, image in enumerate(images.images):
        by_class.setdefault(image.code, []).append(row)
    each = max(1, most // max(1, len(by_class)))
    return [row for rows in by_class.values() for row in rows[:each]][:most]


def _thumbnail(row: int, images: ImageSet) -> str:
    square = images.only([row]).pixels(SIDE)[0].transpose(1, 2, 0)
    stream = io.BytesIO()
    Image.fromarray(square).save(stream, "PNG")
    name = escape(images.images[row].name, quote=True)
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    return f'<img class="example" alt="{name}" title="{name}" width="{SIDE}" src="data:image/png;base64,{data}">'


def _about_sets(findings: Findings) -> Sequence[str]:
    shown = [found.images for found in findings.sets] + [findings.real] + ([findings.train] if findings.train else [])
    rows = [
        (
            one.name,
            f"{len(one)} images, {_classes(one)}{f', {len(one.unreadable)} unreadable' if one.unreadable else ''}",
        )
        for one in shown
    ]
    notes = [*findings.notes, *(f"{one.name}: {note}" for one in shown for note in one.notes)]
    settings = [(name, str(value)) for name, value in findings.settings.items() if value not in (None, "", [])]
    spaces = [(name, words) for name, words in findings.spaces.items()]
    return (
        pairs(rows),
        items(notes) if notes else "",
        paragraph("Pictures are cropped to the middle square and resized with antialiasing, both sides alike."),
        folded("Settings", pairs(settings), pairs(spaces)),
    )


def _classes(images: ImageSet) -> str:
    counts = ", ".join(f"{code} {count}" for code, count in images.counts.items())
    return counts or "classes unknown"
