"""The page to read: one self-contained HTML file with the figures in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Final

from core.utils.html import folded, page, pairs, picture
from xai.explanation import METHODS
from xai.figure import ALL_WELL, long_name
from xai.marks import MARKS

_SIGNS: Final = {"green": "\u2714", "amber": "\u26a0", "red": "\u2716"}

_STYLE: Final = ".verdict { font-weight: 600; }\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """One explanation as it is told: its object in `analysis.json` and its figure as a PNG file."""

    data: Mapping[str, Any]
    figure: bytes = field(repr=False)


def render_page(entries: Sequence[Entry], comparison: bytes | None, scale: float) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    comparison, scale
        PNG file of all overlays on one scale, and that scale in logits per pixel; None where there is no need for it.
    """
    parts = [_introduction(entries), *(_section(entry) for entry in entries)]
    if comparison is not None:
        parts.insert(1, _comparison(comparison, scale))
    return page("ISICGUI explanations", parts, _STYLE)


def _introduction(entries: Sequence[Entry]) -> str:
    levels = [entry.data["gate"]["level"] for entry in entries]
    counts = ", ".join(f"{levels.count(level)} {mark.word.lower()}" for level, mark in MARKS.items() if level in levels)
    return (
        f"<h1>What the classifier reacts to</h1><p class='muted'>{len(entries)} explanations: {counts}.</p>"
        "<p>Red regions raise the score of the class named above a picture, blue regions lower it, compared with the "
        "baseline picture. The verdict says whether a map may be read as evidence about this classifier. No map says "
        "what a lesion is: for research only, never a diagnosis.</p>"
    )


def _comparison(overlays: bytes, scale: float) -> str:
    return (
        "<section><h2>All maps on one scale</h2><p class='muted'>Colours end at the same "
        f"\u00b1{scale:.2g} logits per pixel everywhere, so a pale map is a weak one. The figures below use the full "
        f"range of colours for each picture.</p>{picture(overlays, 'all maps on one scale')}</section>"
    )


def _section(entry: Entry) -> str:
    data = entry.data
    title = f"{_file_name(data)}: {METHODS[data['method']]} for {long_name(data['target'])}"
    level = data["gate"]["level"]
    reasons = " ".join(data["gate"]["reasons"]) or ALL_WELL
    verdict = f"<span style='color:{MARKS[level].colour}'>{_SIGNS[level]} {MARKS[level].word}</span>"
    return (
        f"<section><h2>{escape(title)}</h2>"
        f"<p><span class='verdict'>{verdict}</span> {escape(reasons)}</p>"
        f"{picture(entry.figure, title)}"
        f"{folded('Numbers', _numbers(data))}</section>"
    )


def _file_name(data: Mapping[str, Any]) -> str:
    return "image" if data["image"] is None else Path(data["image"]).name


def _numbers(data: Mapping[str, Any]) -> str:
    relative = data["relative_delta"]
    rows = {
        "logit of the image": _number(data["score"]),
        "logit of the baseline": _number(data["baseline_score"]),
        "convergence delta": _number(data["delta"]) + ("" if relative is None else f" ({relative:.2%})"),
        "steps": data["steps"],
        "baseline": data["baseline"],
        "seconds": data["seconds"],
        "size": f"{data['width']} x {data['height']} pixels",
        "classifier, SHA-256": data["classifier_sha256"],
        "notes": " ".join(data["notes"]),
        "raw values": data["files"]["arrays"],
    }
    return pairs(rows.items())


def _number(value: float | None) -> str:
    return "not a number" if value is None else f"{value:+.4f}"
