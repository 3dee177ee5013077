"""The report of an analysis: every map with its figure, its verdict and its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from reports.model import LEVELS as SIGNS
from reports.model import (
    Block,
    Details,
    Facts,
    Figure,
    Heading,
    Level,
    Paragraph,
    Report,
    Section,
    Span,
    Table,
    Text,
    Verdict,
)
from xai.comparison import Comparison
from xai.explanation import CHECK_RESULTS, GateLevel
from xai.figure import all_well, long_name, png_bytes
from xai.gate import delta_level
from xai.methods import METHODS
from xai.overlay import MARKS

LEVELS: Final[Mapping[GateLevel, Level]] = {"green": "good", "amber": "doubt", "red": "bad"}
"""What a report calls the gate's levels."""

_MAX_AGREEMENTS: Final = 40
_PASSED: Final[Mapping[bool | None, tuple[Level, str]]] = {
    True: ("good", "\u2714 better"),
    False: ("bad", "\u2716 not better"),
    None: ("unknown", "\u2013 undecided"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One explanation as it is told: its object in `analysis.json`, and its figure as a PNG file if there is room."""

    data: Mapping[str, Any]
    figure: bytes | None = field(repr=False)


def report_of(
    entries: Sequence[Entry], comparison: Comparison | None, agreement: Sequence[Mapping[str, Any]] = ()
) -> Report:
    """Return the report.

    Parameters
    ----------
    comparison
        All maps on one sheet; None where there is no need for it.
    agreement
        As in `analysis.json`.
    """
    sections = [] if comparison is None else [_comparison(comparison)]
    if agreement:
        sections.append(_agreement(agreement[:_MAX_AGREEMENTS]))
    sections += [_section(entry, entry.figure) for entry in entries if entry.figure is not None]
    if len(left := [entry for entry in entries if entry.figure is None]):
        sections.append(_list(left))
    return Report("What the classifier responds to", _introduction(entries), sections, "ISICGUI explanations")


def gate_verdict(level: GateLevel, text: Text = "") -> Verdict:
    """Return the result of the reliability check for a map."""
    return Verdict(LEVELS[level], text, MARKS[level].word)


def _introduction(entries: Sequence[Entry]) -> Sequence[Block]:
    levels = [entry.data["gate"]["level"] for entry in entries]
    counts = ", ".join(f"{levels.count(level)} {result}" for level, result in CHECK_RESULTS.items() if level in levels)
    maps = "explanation" if len(entries) == 1 else "explanations"
    about = (
        "Red regions support the class named above an image, blue regions oppose it, compared with the baseline image. "
        "The reliability check shows whether to trust a map as a description of this classifier. No map shows what a "
        "lesion is: for research only, never a diagnosis."
    )
    return Paragraph(f"{len(entries)} {maps}; reliability check: {counts}.", "muted"), Paragraph(about)


def _comparison(comparison: Comparison) -> Section:
    ends = "; ".join(f"\u00b1{scale:.2g} {unit}" for unit, scale in comparison.scales.items())
    missing = f" {comparison.left_out} more maps are not on this sheet." if comparison.left_out else ""
    words = (
        f"One scale for each unit (colours end at {ends}), so within a unit a pale map is a weak one; maps of "
        f"different units cannot be compared. The figures below use the full range of colours for each "
        f"picture.{missing}"
    )
    sheet = Figure(png_bytes(comparison.sheet), "all maps on one scale for each unit", captioned=False)
    return Section("All maps side by side", [Paragraph(words, "muted"), sheet])


def _agreement(agreement: Sequence[Mapping[str, Any]]) -> Section:
    """Return a table of how far the methods agree, one row for each pair of maps."""
    rows = [
        (
            f"{said['target']} \u00b7 {_file_name(said)}",
            f"{METHODS[pair['a']].title}, {METHODS[pair['b']].title}",
            _correlation(pair["spearman"]),
            f"{pair['top_overlap']:.0%}",
        )
        for said in agreement
        for pair in said["pairs"]
    ]
    about = (
        "Rank correlation of each pair of maps over 16 x 16 cells (1: the same order, 0: by chance), and the overlap "
        "of their top 10 % of cells (by chance 5 %). Maps that disagree cannot all be right."
    )
    head = ("image", "maps", "rank correlation", "overlap of the top 10 %")
    table = Table(head, rows, "Table", words=frozenset({0, 1}), folded=True)
    return Section("Do the methods agree?", [Paragraph(about, "muted"), table])


def _correlation(value: float | None) -> str:
    return "\u2013" if value is None else f"{value:+.2f}"


def _section(entry: Entry, figure: bytes) -> Section:
    data = entry.data
    title = f"{_file_name(data)}: {METHODS[data['method']].title} for {long_name(data['target'])}"
    reasons = " ".join(data["gate"]["reasons"]) or all_well(data["method"])
    verdict = gate_verdict(data["gate"]["level"], (reasons, *_gap(data)))
    shown = Figure(figure, title, captioned=False)
    return Section(title, [verdict, shown, *_faithfulness(data), Details("Numbers", [_numbers(data)])])


def _list(entries: Sequence[Entry]) -> Section:
    """Return the maps whose figures would make the page too heavy, with where to find them."""
    rows = [
        (f"{_file_name(data)}: {METHODS[data['method']].title} for {data['target']}", data["gate"]["level"],
         data["files"]["figure"])
        for data in (entry.data for entry in entries)
    ]  # fmt: skip
    return Section(
        f"{len(entries)} more maps", [Table(("", "reliability check", "figure"), rows, words=frozenset({0, 1, 2}))]
    )


def _faithfulness(data: Mapping[str, Any]) -> Iterator[Block]:
    """Yield the faithfulness measures of the map and of its controls; nothing if they were not requested."""
    if data["faithfulness"] is None:
        return
    rows = [
        (m["title"], _number(m["value"]), _number(m["control"]), _passed(m["passed"]), m["words"])
        for m in data["faithfulness"]["measures"]
    ]
    yield Heading("Is the map faithful?")
    yield Table(("", "the map", "control", "", ""), rows, words=frozenset({0, 3, 4}))


def _passed(passed: bool | None) -> Span:
    level, words = _PASSED[passed]
    return Span(words, level)


def _gap(data: Mapping[str, Any]) -> tuple[str | Span, ...]:
    """Return the convergence delta in the colour of its level, for methods whose maps add up."""
    relative = data["relative_delta"]
    if relative is None or not METHODS[data["method"]].complete:
        return ()
    level = LEVELS[delta_level(relative)]
    return " ", Span(f"{SIGNS[level].sign} completeness error {relative:.2%}", level)


def _file_name(data: Mapping[str, Any]) -> str:
    return "image" if data["image"] is None else Path(data["image"]).name


def _numbers(data: Mapping[str, Any]) -> Facts:
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
    return Facts(list(rows.items()))


def _parameter(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_parameter(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _number(value: float | None) -> str:
    return "not a number" if value is None else f"{value:+.4f}"
