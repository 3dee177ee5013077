"""A run of explanations as a page for the window: verdict, numbers, pictures; in the window's language where it can."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from gui.i18n import mark, tr, translate
from gui.i18n.numbers import local, moment, percent
from gui.state.analysis_words import run_title
from gui.state.xai_words import method_name
from gui.theme.tokens import LIGHT
from gui.workers.run_report import RunReport

LEVELS = {
    "green": (mark("Evidence"), LIGHT.evidence),
    "amber": (mark("Doubtful"), LIGHT.doubt),
    "red": (mark("Not evidence"), LIGHT.none),
}
INTERVENTIONS = {
    "noise": mark("noise"),
    "blur": mark("Gaussian blur"),
    "shuffle": mark("patch shuffle"),
    "const": mark("median colour"),
}


def page_of(report: RunReport) -> str:
    """Return HTML of the subset that Qt understands; pictures are named ``picture:0``, ``picture:1`` …"""
    analysis = report.analysis
    parts = [
        f"<h2>{escape(run_title(report.path.name))}</h2>",
        f"<p style='color:{LIGHT.muted}'>{escape(moment(report.made))} · {escape(str(report.path))}</p>",
        *_verdict(analysis),
        *_image(analysis),
        *_maps(analysis),
        *_time_shap(analysis),
        *_shift(analysis),
        *_pictures(report),
        *_closed(report),
    ]
    return "".join(parts)


def _verdict(analysis: Mapping[str, Any]) -> Iterable[str]:
    if known := _level(analysis.get("gate")):
        word, color = known
        yield f"<p><b style='color:{color}'>{escape(tr(word))}</b></p>"
    verdict = analysis.get("verdict")
    sentences = verdict if isinstance(verdict, list) else [verdict] if isinstance(verdict, str) else []
    yield from (f"<p>{escape(translate(str(sentence)))}</p>" for sentence in sentences)


def _level(gate: object) -> tuple[str, str] | None:
    """Return word and colour of a gate's level, None if there is none that this version knows."""
    level = gate.get("level") if isinstance(gate, dict) else None
    return LEVELS.get(level) if isinstance(level, str) else None


def _image(analysis: Mapping[str, Any]) -> Iterable[str]:
    answer = analysis.get("classification")
    if isinstance(answer, dict) and isinstance(answer.get("probabilities"), dict):
        yield f"<h3>{escape(tr('Class probabilities'))}</h3>"
        shares = {code: value for code, value in answer["probabilities"].items() if isinstance(value, (int, float))}
        yield _table(tuple(shares), [tuple(percent(value, 1) for value in shares.values())])


def _maps(analysis: Mapping[str, Any]) -> Iterable[str]:
    maps = analysis.get("explanations")
    rows = [_map_row(entry) for entry in maps if isinstance(entry, dict)] if isinstance(maps, list) else []
    if rows:
        yield f"<h3>{escape(tr('Maps'))}</h3>"
        yield _table((tr("Image"), tr("Method"), tr("Class"), tr("Logit"), tr("Gap"), tr("Gate")), rows)


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


def _time_shap(analysis: Mapping[str, Any]) -> Iterable[str]:
    found = analysis.get("time_shap")
    groups = found.get("groups") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(groups, list):
        return
    yield f"<h3>{escape(tr('Time-SHAP: what each group of steps adds to the logit'))}</h3>"
    rows = [
        (f"{group.get('first_step')}–{group.get('last_step')}", _number(group.get("phi")),
         _number(group.get("standard_error")))
        for group in groups if isinstance(group, dict)
    ]  # fmt: skip
    yield _table((tr("Steps"), tr("Logits"), tr("Standard error")), rows)
    words = tr("All steps: {all}; none: {none}; they add up to within {error}.")
    yield (
        "<p>"
        + escape(
            words.format(
                all=_number(found.get("v_all")),
                none=_number(found.get("v_none")),
                error=_number(found.get("efficiency_error")).lstrip("+−"),
            )
        )
        + "</p>"
    )


def _shift(analysis: Mapping[str, Any]) -> Iterable[str]:
    found = analysis.get("csi")
    if not isinstance(found, dict) or not isinstance(found.get("interventions"), dict):
        return
    yield f"<h3>{escape(tr('Causal shift: change of the logit when a region is altered'))}</h3>"
    heads = (tr("Intervention"), tr("Marked region"), tr("Least marked"), tr("Random"), tr("CSI"))
    yield _table(
        heads, [_shift_row(name, one) for name, one in found["interventions"].items() if isinstance(one, dict)]
    )
    if found.get("formula"):
        yield f"<p style='color:{LIGHT.muted}'>{escape(str(found['formula']))}</p>"


def _shift_row(name: str, one: Mapping[str, Any]) -> tuple[str, ...]:
    word = tr(INTERVENTIONS[name]) if name in INTERVENTIONS else name
    return (word, *(_number(one.get(key)) for key in ("abs_dF_top", "abs_dF_bottom", "abs_dF_random", "csi")))


def _pictures(report: RunReport) -> Iterable[str]:
    for number, picture in enumerate(report.pictures):
        name = str(picture.path.relative_to(report.path)) if report.path.is_dir() else picture.path.name
        yield f"<p style='color:{LIGHT.muted}'>{escape(name)}</p><p><img src='picture:{number}'></p>"
    if report.left_out:
        yield f"<p>{escape(tr('%n further picture(s) in the folder', report.left_out))}</p>"


def _closed(report: RunReport) -> Iterable[str]:
    if report.closed:
        words = tr("Not opened, because opening them may run code that is in them: {files}")
        yield f"<p>{escape(words.format(files=', '.join(report.closed)))}</p>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th align='left'>{escape(str(text))}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table cellpadding='4'><tr>{head}</tr>{body}</table>"


def _number(value: object) -> str:
    return local(f"{value:+.3g}") if isinstance(value, (int, float)) and not isinstance(value, bool) else "–"
