"""A run of explanations as a page for the window: verdict, numbers, pictures; in the window's language where it can."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gui.evaluate.run_report import RunReport
from gui.explain.analysis_words import run_title
from gui.explain.xai_words import method_name
from gui.i18n import mark, tr, translate
from gui.i18n.numbers import local, moment, percent
from gui.theme.tokens import LIGHT
from reports.html import render_rich_text
from reports.model import Block, Figure, Level, Paragraph, Report, Section, Table, Verdict

LEVELS: Mapping[str, tuple[str, Level]] = {
    "green": (mark("Checks passed"), "good"),
    "amber": (mark("Caution"), "doubt"),
    "red": (mark("Checks failed"), "bad"),
}
COLOURS = {"muted": LIGHT.muted, "good": LIGHT.evidence, "doubt": LIGHT.doubt, "bad": LIGHT.none}
INTERVENTIONS = {
    "noise": mark("noise"),
    "blur": mark("Gaussian blur"),
    "shuffle": mark("patch shuffle"),
    "const": mark("median colour"),
}


def page_of(report: RunReport) -> str:
    """Return HTML of the subset that Qt understands; pictures are named ``picture:0``, ``picture:1`` …"""
    return render_rich_text(report_of(report), COLOURS)


def report_of(report: RunReport) -> Report:
    """Return the run as a report, in the window's language."""
    analysis = report.analysis
    lead = [Paragraph(f"{moment(report.made)} · {report.path}", "muted"), *_verdict(analysis)]
    sections = [
        *_image(analysis),
        *_maps(analysis),
        *_time_shap(analysis),
        *_shift(analysis),
        Section("", [*_pictures(report), *_closed(report)]),
    ]
    return Report(run_title(report.path.name), lead, sections)


def _verdict(analysis: Mapping[str, Any]) -> Iterable[Block]:
    if known := _level(analysis.get("gate")):
        word, level = known
        yield Verdict(level, "", tr(word))
    verdict = analysis.get("verdict")
    sentences = verdict if isinstance(verdict, list) else [verdict] if isinstance(verdict, str) else []
    yield from (Paragraph(translate(str(sentence))) for sentence in sentences)


def _level(gate: object) -> tuple[str, Level] | None:
    """Return word and level of a gate's level, None if there is none that this version knows."""
    level = gate.get("level") if isinstance(gate, dict) else None
    return LEVELS.get(level) if isinstance(level, str) else None


def _image(analysis: Mapping[str, Any]) -> Iterable[Section]:
    answer = analysis.get("classification")
    if isinstance(answer, dict) and isinstance(answer.get("probabilities"), dict):
        shares = {code: value for code, value in answer["probabilities"].items() if isinstance(value, (int, float))}
        table = Table(tuple(shares), [tuple(percent(value, 1) for value in shares.values())])
        yield Section(tr("Class probabilities"), [table])


def _maps(analysis: Mapping[str, Any]) -> Iterable[Section]:
    maps = analysis.get("explanations")
    rows = [_map_row(entry) for entry in maps if isinstance(entry, dict)] if isinstance(maps, list) else []
    if rows:
        heads = (tr("Image"), tr("Method"), tr("Class"), tr("Logit"), tr("Completeness error"), tr("Reliability check"))
        yield Section(tr("Maps"), [Table(heads, rows)])


def _map_row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    level = _level(entry.get("gate"))
    image = str(entry.get("image") or "").replace("\\", "/").rpartition("/")[2]
    gap = entry.get("relative_delta")
    return (
        image,
        method_name(str(entry.get("method", ""))),
        str(entry.get("target", "")),
        _number(entry.get("score")),
        percent(gap, 1) if isinstance(gap, (int, float)) else "–",
        tr(level[0]) if level else "–",
    )


def _time_shap(analysis: Mapping[str, Any]) -> Iterable[Section]:
    found = analysis.get("time_shap")
    groups = found.get("groups") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(groups, list):
        return
    rows = [
        (f"{group.get('first_step')}–{group.get('last_step')}", _number(group.get("phi")),
         _number(group.get("standard_error")))
        for group in groups if isinstance(group, dict)
    ]  # fmt: skip
    words = tr("All steps: {all}; none: {none}; they sum to the difference within {error}.").format(
        all=_number(found.get("v_all")),
        none=_number(found.get("v_none")),
        error=_number(found.get("efficiency_error")).lstrip("+−"),
    )
    table = Table((tr("Steps"), tr("Logits"), tr("Standard error")), rows)
    yield Section(tr("Time-SHAP: what each group of steps adds to the logit"), [table, Paragraph(words)])


def _shift(analysis: Mapping[str, Any]) -> Iterable[Section]:
    found = analysis.get("csi")
    if not isinstance(found, dict) or not isinstance(found.get("interventions"), dict):
        return
    heads = (
        tr("Intervention"),
        tr("Top 10 % of pixels"),
        tr("Bottom 10 % of pixels"),
        tr("Random", context="region"),
        tr("CSI"),
    )
    rows = [_shift_row(name, one) for name, one in found["interventions"].items() if isinstance(one, dict)]
    blocks: list[Block] = [Table(heads, rows)]
    if found.get("formula"):
        blocks.append(Paragraph(str(found["formula"]), "muted"))
    yield Section(tr("Causal shift: change of the logit when a region is altered"), blocks)


def _shift_row(name: str, one: Mapping[str, Any]) -> tuple[str, ...]:
    word = tr(INTERVENTIONS[name]) if name in INTERVENTIONS else name
    return (word, *(_number(one.get(key)) for key in ("abs_dF_top", "abs_dF_bottom", "abs_dF_random", "csi")))


def _pictures(report: RunReport) -> Iterable[Block]:
    for number, picture in enumerate(report.pictures):
        name = str(picture.path.relative_to(report.path)) if report.path.is_dir() else picture.path.name
        yield Figure(f"picture:{number}", name)
    if report.left_out:
        yield Paragraph(tr("%n further image(s) in the folder", report.left_out))


def _closed(report: RunReport) -> Iterable[Block]:
    if report.closed:
        words = tr("Not opened, because opening them may run code that is in them: {files}")
        yield Paragraph(words.format(files=", ".join(report.closed)))


def _number(value: object) -> str:
    return local(f"{value:+.3g}") if isinstance(value, (int, float)) and not isinstance(value, bool) else "–"
