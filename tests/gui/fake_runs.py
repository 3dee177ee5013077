"""The folder of a training that a script plays: what the window's list of runs reads, and nothing that was learnt."""

from __future__ import annotations

import json
from pathlib import Path

from classifier.request import TrainClassifierRequest
from core.events import Event
from core.jobs.registry import Request
from diffusion.request import TrainDiffusionRequest

LOGGED = {"step": "loss", "evaluated": "evaluated", "finished": "finished"}


class FakeRun:
    """Writes what a training writes; for other jobs nothing.

    Parameters
    ----------
    folder
        Of the run; None for a job that is no training.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @classmethod
    def of(cls, request: Request) -> FakeRun:
        """Begin the run that a request asks for, or go on with it."""
        if not isinstance(request, TrainDiffusionRequest | TrainClassifierRequest) or request.output is None:
            return cls()
        if not request.resume:
            config = {"kind": request.command[1], "name": "fake", "data": str(request.data), "settings": {}}
            config["timestamp"] = "2026-11-20T12:00:00+00:00"
            (request.output / "config.json").write_text(json.dumps(config), encoding="utf-8")
        return cls(request.output)

    def log(self, event: Event) -> None:
        """Write the row that an event leaves, if it leaves one."""
        if self._folder is not None and event.name in LOGGED:
            row = {**event.to_json(), "event": LOGGED[event.name]}
            with (self._folder / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(row) + "\n")

    def keep(self) -> None:
        """Write the checkpoint from which a stopped run goes on."""
        if self._folder is not None:
            (self._folder / "last.pt").write_bytes(b"kept")
