"""The page to read: one self-contained HTML file with the figures in it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Final

from xai.explanation import METHODS
from xai.figure import ALL_WELL, long_name
from xai.marks import HAIRLINE, MARKS, MUTED, PANEL, TEXT

_SIGNS: Final = {"green": "\u2714", "amber": "\u26a0", "red": "\u2716"}

_STYLE: Final = f"""
body {{ margin: 0; background: #f3f4f6; color: {TEXT}; font: 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }}
main {{ max-width: 1100px; margin: 0 auto; padding: 32px 16px 64px; }}
h1 {{ font-size: 24px; margin: 0 0 4px; }}
h2 {{ font-size: 18px; margin: 0; }}
p {{ margin: 8px 0; max-width: 80ch; }}
section {{ background: {PANEL}; border: 1px solid {HAIRLINE}; border-radius: 6px; padding: 16px 20px; margin: 16px 0; }}
img {{ max-width: 100%; height: auto; display: block; margin: 12px 0; }}
.muted, td:first-child {{ color: {MUTED}; }}
.verdict {{ font-weight: 600; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
td {{ padding: 3px 24px 3px 0; vertical-align: top; }}
summary {{ cursor: pointer; color: #0a6e78; }}
"""


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
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>ISICGUI explanations</title><style>{_STYLE}</style></head>\n<body><main>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )


def _introduction(entries: Sequence[Entry]) -> str:
    levels = [entry.data["gate"]["level"] for entry in entries]
    counts = ", ".join(f"{levels.count(level)} {mark.word.lower()}" for level, mark in MARKS.items() if level in levels)
    return (
        f"<h1>What the classifier reacts to</h1><p class='muted'>{len(entries)} explanations: {counts}.</p>"
        "<p>Red regions raise the score of the class named above a picture, blue regions lower it, compared with the "
        "baseline picture. The verdict says whether a map may be read as evidence about this classifier. No map says "
        "what a lesion is: for research only, never a diagnosis.</p>"
    )


def _comparison(picture: bytes, scale: float) -> str:
    return (
        "<section><h2>All maps on one scale</h2><p class='muted'>Colours end at the same "
        f"\u00b1{scale:.2g} logits per pixel everywhere, so a pale map is a weak one. The figures below use the full "
        f"range of colours for each picture.</p>{_image(picture, 'all maps on one scale')}</section>"
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
        f"{_image(entry.figure, title)}"
        f"<details><summary>Numbers</summary><table>{_rows(data)}</table></details></section>"
    )


def _file_name(data: Mapping[str, Any]) -> str:
    return "image" if data["image"] is None else Path(data["image"]).name


def _image(png: bytes, text: str) -> str:
    return f'<img alt="{escape(text)}" src="data:image/png;base64,{base64.b64encode(png).decode("ascii")}">'


def _rows(data: Mapping[str, Any]) -> str:
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
    return "".join(f"<tr><td>{escape(name)}</td><td>{escape(str(value))}</td></tr>" for name, value in rows.items())


def _number(value: float | None) -> str:
    return "not a number" if value is None else f"{value:+.4f}"
