"""The page to read: one self-contained HTML file with the figures in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Final

from core.utils.html import folded, numbers, page, pairs, paragraph, picture, section
from xai.comparison import Comparison
from xai.explanation import FACTS, METHODS
from xai.figure import all_well, long_name, png_bytes
from xai.gate import delta_level
from xai.marks import MARKS

_SIGNS: Final = {"green": "\u2714", "amber": "\u26a0", "red": "\u2716"}

_MAX_AGREEMENTS: Final = 40
_PASSED: Final = {True: "\u2714 better", False: "\u2716 not better", None: "\u2013 undecided"}

_STYLE: Final = """.verdict { font-weight: 600; }
h3 { font-size: 15px; margin: 12px 0 4px; }
section table.numbers td:last-child { text-align: left; white-space: normal; }
.gap { color: white; border-radius: 4px; padding: 1px 6px; font-size: 13px; white-space: nowrap; }
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One explanation as it is told: its object in `analysis.json`, and its figure as a PNG file if there is room."""

    data: Mapping[str, Any]
    figure: bytes | None = field(repr=False)


def render_page(
    entries: Sequence[Entry], comparison: Comparison | None, agreement: Sequence[Mapping[str, Any]] = ()
) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    comparison
        All maps on one sheet; None where there is no need for it.
    agreement
        As in `analysis.json`.
    """
    told = [(entry, entry.figure) for entry in entries if entry.figure is not None]
    parts = [_introduction(entries), *(_section(entry, figure) for entry, figure in told)]
    if len(told) < len(entries):
        parts.append(_list([entry for entry in entries if entry.figure is None]))
    summary = [] if comparison is None else [_comparison(comparison)]
    if agreement:
        summary.append(_agreement(agreement[:_MAX_AGREEMENTS]))
    parts[1:1] = summary
    return page("ISICGUI explanations", parts, _STYLE)


def _introduction(entries: Sequence[Entry]) -> str:
    levels = [entry.data["gate"]["level"] for entry in entries]
    counts = ", ".join(f"{levels.count(level)} {mark.word.lower()}" for level, mark in MARKS.items() if level in levels)
    maps = "explanation" if len(entries) == 1 else "explanations"
    return (
        f"<h1>What the classifier reacts to</h1><p class='muted'>{len(entries)} {maps}: {counts}.</p>"
        "<p>Red regions raise the score of the class named above a picture, blue regions lower it, compared with the "
        "baseline picture. The verdict says whether a map may be read as evidence about this classifier. No map says "
        "what a lesion is: for research only, never a diagnosis.</p>"
    )


def _comparison(comparison: Comparison) -> str:
    ends = "; ".join(f"\u00b1{scale:.2g} {unit}" for unit, scale in comparison.scales.items())
    missing = f" {comparison.left_out} more maps found no room." if comparison.left_out else ""
    return (
        "<section><h2>All maps side by side</h2><p class='muted'>One scale for each unit (colours end at "
        f"{escape(ends)}), so within a unit a pale map is a weak one; maps of different units cannot be compared. The "
        f"figures below use the full range of colours for each picture.{missing}</p>"
        f"{picture(png_bytes(comparison.sheet), 'all maps on one scale for each unit')}</section>"
    )


def _agreement(agreement: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of how far the methods agree, one row for each pair of maps."""
    rows = [
        (
            f"{said['target']} \u00b7 {_file_name(said)}",
            f"{METHODS[pair['a']]}, {METHODS[pair['b']]}",
            _correlation(pair["spearman"]),
            f"{pair['top_overlap']:.0%}",
        )
        for said in agreement
        for pair in said["pairs"]
    ]
    words = (
        "Rank correlation of each two maps over 16 x 16 cells (1: the same order, 0: by chance), and how much of their "
        "most important tenths they share (by chance 5 %). Maps that disagree cannot all be right."
    )
    table = numbers(("picture", "maps", "rank correlation", "shared tenth"), rows)
    return section("Do the methods agree?", paragraph(words, "muted"), folded("Table", table))


def _correlation(value: float | None) -> str:
    return "\u2013" if value is None else f"{value:+.2f}"


def _section(entry: Entry, figure: bytes) -> str:
    data = entry.data
    title = f"{_file_name(data)}: {METHODS[data['method']]} for {long_name(data['target'])}"
    level = data["gate"]["level"]
    reasons = " ".join(data["gate"]["reasons"]) or all_well(data["method"])
    verdict = f"<span style='color:{MARKS[level].colour}'>{_SIGNS[level]} {MARKS[level].word}</span>"
    return (
        f"<section><h2>{escape(title)}</h2>"
        f"<p><span class='verdict'>{verdict}</span> {escape(reasons)}{_gap(data)}</p>"
        f"{picture(figure, title)}"
        f"{_faithfulness(data)}{folded('Numbers', _numbers(data))}</section>"
    )


def _list(entries: Sequence[Entry]) -> str:
    """Return the maps whose figures would make the page too heavy, with where to find them."""
    rows = [
        (f"{_file_name(e.data)}: {METHODS[e.data['method']]} for {e.data['target']}", e.data["gate"]["level"])
        for e in entries
    ]
    files = [entry.data["files"]["figure"] for entry in entries]
    table = numbers(("", "gate", "figure"), [(*row, file) for row, file in zip(rows, files, strict=True)])
    return section(f"{len(entries)} more maps", table)


def _faithfulness(data: Mapping[str, Any]) -> str:
    """Return what was measured of the map beside its controls; nothing if it was not asked."""
    if data["faithfulness"] is None:
        return ""
    rows = [
        (m["title"], _number(m["value"]), _number(m["control"]), _PASSED[m["passed"]], m["words"])
        for m in data["faithfulness"]["measures"]
    ]
    head = ("", "the map", "control", "", "")
    return f"<h3>Is the map faithful?</h3>{numbers(head, rows)}"


def _gap(data: Mapping[str, Any]) -> str:
    """Return the convergence delta on a badge in the colour of its level, with its level in words for the rest."""
    relative = data["relative_delta"]
    if relative is None or not FACTS[data["method"]].complete:
        return ""
    level = delta_level(relative)
    return f" <span class='gap' style='background:{MARKS[level].colour}'>{_SIGNS[level]} gap {relative:.2%}</span>"


def _file_name(data: Mapping[str, Any]) -> str:
    return "image" if data["image"] is None else Path(data["image"]).name


def _numbers(data: Mapping[str, Any]) -> str:
    relative, cell = data["relative_delta"], data["cell"]
    rows = {
        "logit of the image": _number(data["score"]),
        "logit of the baseline": _number(data["baseline_score"]),
        "convergence delta": _number(data["delta"]) + ("" if relative is None else f" ({relative:.2%})"),
        "steps": data["steps"],
        "baseline": data["baseline"] or "none needed",
        "unit of the map": data["unit"],
        **({} if cell is None else {"cell of the map": f"{cell[1]:.1f} x {cell[0]:.1f} pixels"}),
        **{name.replace("_", " "): _parameter(value) for name, value in data["parameters"].items()},
        "seconds": data["seconds"],
        "size": f"{data['width']} x {data['height']} pixels",
        "classifier, SHA-256": data["classifier_sha256"],
        "notes": " ".join(data["notes"]),
        "raw values": data["files"]["arrays"],
    }
    return pairs(rows.items())


def _parameter(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_parameter(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _number(value: float | None) -> str:
    return "not a number" if value is None else f"{value:+.4f}"
