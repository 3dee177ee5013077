"""Analyses in words: what one is about, how far it is, how long it will take."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from core.taxonomy import CLASS_CODES
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
    if found := re.fullmatch(r"(\d{8}_\d{6})_\d{3}_(.+)", name):
        return f"{found[2]} · {_when(found[1])}"
    if found := re.fullmatch(r"xai_analysis_(.+)_(\d{8}_\d{6})(?:_\d+)?", name):
        return tr("{classes} trajectory · {when}").format(classes=found[1], when=_when(found[2]))
    return name


def _when(stamp: str) -> str:
    try:
        return f"{datetime.strptime(stamp, '%Y%m%d_%H%M%S'):%Y-%m-%d %H:%M}"
    except ValueError:
        return stamp


def time_of(seconds: float | None, images: int) -> str:
    """Say how long an analysis will take, as far as this machine knows."""
    if seconds is None:
        return tr("The time is known after the first image; some minutes per image on two CPU cores.")
    return tr("About {time} for %n image(s), based on the last analysis on this machine.", images).format(
        time=duration(seconds)
    )
