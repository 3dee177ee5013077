"""Several images: per class and intervention the index with interval, tests and controls; n counts images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xai.trajectory.request import TrajectoryRequest


@dataclass(frozen=True, slots=True)
class Summary:
    """placeholder"""

    verdict: list[str]


def summarise(images: Sequence[Mapping[str, Any]]) -> Summary:
    """placeholder"""
    return Summary([f"{len(images)} images"])


def write_summary(summary: Summary, folder: Path, request: TrajectoryRequest, parts: list[str]) -> None:
    """placeholder"""
