"""Analyses that do what the class of their request says; in the worker's process they take the place of the real ones.

``VASC`` is refused, ``DF`` fails, ``AKIEC`` is killed, ``BCC`` goes on when there is a file ``go`` in its folder, with
``BKL`` another class has no model; all others end well. Each call leaves its command in ``calls.txt``.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from core.cancel import CancelToken
from core.errors import FolderLockedError
from core.events import Event, Failed, Progress
from core.jobs import registry
from core.jobs.client import JobClient
from core.jobs.stream import JobStopped
from core.message import Message
from xai.trajectory.analysis import STAGES
from xai.trajectory.request import AnalysisFinished, AnalysisStarted, TrajectoryRequest


def fake_client() -> JobClient:
    """Return a client whose analyses are `play`."""
    return JobClient(prepare=install)


def install() -> None:
    """Declare, in this process, that analyses are carried out by `play`."""
    known = registry.job_of
    registry.job_of = lambda request: dataclasses.replace(known(request), run=f"{__name__}:play")


def play(request: TrajectoryRequest, cancel: CancelToken) -> Iterator[Event]:
    """Do what the class says."""
    code = "image" if request.image else request.classes[0]
    folder = request.output / f"xai_analysis_{code}_20261120_120000"
    if code == "VASC":
        raise FolderLockedError(Message("Another run writes here."), remedy=Message("Wait for it."))
    if code == "DF":
        raise ZeroDivisionError("no words at all")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "calls.txt").open("a", encoding="utf-8") as calls:
        calls.write(" ".join(request.arguments()) + "\n")
    yield AnalysisStarted(folder, ("MEL 0",))
    yield Progress(3, 20, "coalitions", STAGES["time_shap"].words, 0.3)
    if code == "BCC":
        _wait(folder / "go", cancel)
    if code == "AKIEC":
        os.kill(os.getpid(), signal.SIGKILL)
    if code == "BKL":
        yield Failed("DF", "model", Message("There is no model."), "", 1)
    (folder / "analysis.json").write_text(json.dumps({"verdict": ["It is so."], "complete": True}))
    yield AnalysisFinished(folder, folder / "report.html", "It is so.", 1.0)


def _wait(gate: Path, cancel: CancelToken) -> None:
    while not gate.exists():
        if cancel.mode is not None:
            raise JobStopped
        time.sleep(0.01)
