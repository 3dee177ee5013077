"""Analyses in words: what one is about, how far it is, how long it will take."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from core.taxonomy import CLASS_CODES, CLASS_INDEX
from dataset.layout import image_number
from gui.explain.analysis_store import Analysis, AnalysisState
from gui.i18n import mark, tr, translate
from gui.i18n.numbers import duration, percent
from xai.trajectory.request import TrajectoryRequest

STATES: Final = {
    AnalysisState.WAITING: mark("Waiting"),
    AnalysisState.RUNNING: mark("Beginning…"),
    AnalysisState.STOPPING: mark("Stopping after this step; what is finished is kept"),
    AnalysisState.INTERRUPTED: mark("Not finished; what is finished is kept"),
    AnalysisState.DONE: mark("Done"),
    AnalysisState.FAILED: mark("Failed"),
}


def title_of(request: TrajectoryRequest) -> str:
    """Say in a few words what is analysed."""
    kind = tr("quick") if request.quick else tr("full")
    if request.image:
        return tr("{folder} {image} · {kind}").format(
            folder=request.image.parent.name, image=request.image.stem, kind=kind
        )
    what = tr("all classes") if request.classes == CLASS_CODES else ", ".join(request.classes)
    words = tr("{what} · %n image(s) from seed {seed} · {kind}", request.count)
    return words.format(what=what, seed=request.seed, kind=kind)


def progress_of(analysis: Analysis) -> str:
    """Say in a line how an analysis stands."""
    if analysis.state is AnalysisState.RUNNING and analysis.stage:
        stage = translate(analysis.stage)
        words = tr("{percent} · {stage} {done} of {total}")
        return words.format(percent=percent(analysis.fraction), stage=stage, done=analysis.done, total=analysis.total)
    state = tr(STATES[analysis.state])
    return f"{state}: {analysis.note}" if analysis.note else state


def run_title(name: str) -> str:
    """Return what a folder of explanations is called: what is explained, and when; any other name as it is."""
    return _title(name, "%Y-%m-%d %H:%M")


def run_titles(names: Sequence[str]) -> list[str]:
    """Return what folders of explanations are called side by side: to the second where the minute does not tell."""
    titles = [run_title(name) for name in names]
    common = Counter(titles)
    return [
        _title(name, "%Y-%m-%d %H:%M:%S") if common[title] > 1 else title
        for name, title in zip(names, titles, strict=True)
    ]


def _title(name: str, form: str) -> str:
    if found := re.fullmatch(r"(\d{8}_\d{6})_\d{3}_(.+)", name):
        return f"{_image_title(found[2])} · {_when(found[1], form)}"
    if found := re.fullmatch(r"xai_analysis_(.+?)_(\d{8}_\d{6})(?:_\d+)?", name):
        what, when = _image_title(found[1]), _when(found[2], form)
        return tr("{classes} trajectory · {when}").format(classes=what, when=when)
    return name


def _image_title(what: str) -> str:
    """Return an image of a class as the gallery calls it, ``MEL 7``; anything else as it is."""
    code, _, stem = what.partition("_")
    if code not in CLASS_INDEX or not stem:
        return what
    number = image_number(f"{stem}.png")
    if number is None:
        return what if stem in CLASS_INDEX or stem.partition("_")[0] in CLASS_INDEX else f"{code} {stem}"
    return f"{code} {number}"


def _when(stamp: str, form: str) -> str:
    try:
        return datetime.strptime(stamp, "%Y%m%d_%H%M%S").strftime(form)
    except ValueError:
        return stamp


def time_of(seconds: float | None, images: int) -> str:
    """Say how long an analysis will take, as far as this machine knows."""
    if seconds is None:
        return tr("The time is known after the first image; some minutes per image on two CPU cores.")
    return tr("About {time} for %n image(s), based on the last analysis on this machine.", images).format(
        time=duration(seconds)
    )
