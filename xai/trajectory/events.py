"""The events that an analysis of trajectories yields, as the command line prints them with --json."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from core.events import Event


@dataclass(frozen=True, slots=True)
class AnalysisStarted(Event):
    """An analysis begins.

    Attributes
    ----------
    output
        The folder of this analysis, which the report will lie in.
    parts
        One name for each image, as in ``MEL 0 (seed 2133561722)``.
    finished_parts
        How many of them an earlier, interrupted run has finished already.
    """

    name: ClassVar[str] = "started"
    output: Path
    parts: tuple[str, ...]
    finished_parts: int = 0


@dataclass(frozen=True, slots=True)
class Analysed(Event):
    """One image is analysed and everything about it is on disk."""

    name: ClassVar[str] = "analysed"
    class_code: str
    index: int
    seed: int
    folder: Path
    seconds: float


@dataclass(frozen=True, slots=True)
class AnalysisFinished(Event):
    """Everything is done.

    Attributes
    ----------
    verdict
        The result in one or two plain sentences.
    """

    name: ClassVar[str] = "finished"
    ends: ClassVar[bool] = True
    output: Path
    report: Path
    verdict: str
    seconds: float
