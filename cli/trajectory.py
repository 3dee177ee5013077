"""`trajectory`: which denoising steps decide the predicted class of generated images."""

from __future__ import annotations

from typing import Any, Final

import click

from cli.console import Console
from cli.derive import Words, carry_out, json_option, request_options
from xai.trajectory.request import Analysed, AnalysisFinished, AnalysisStarted, TrajectoryRequest


def _begin(event: AnalysisStarted) -> str:
    before = f" ({event.finished_parts} finished before)" if event.finished_parts else ""
    return f"Images: {len(event.parts)}{before}. Folder: {event.output}"


WORDS: Final[Words] = {
    AnalysisStarted: _begin,
    Analysed: lambda event: f"{event.class_code} {event.index}: {event.folder} ({event.seconds:.0f} s)",
    AnalysisFinished: lambda event: f"{event.verdict}\nReport: {event.report}",
}


@click.command(short_help="Analyse which denoising steps decide the predicted class.")
@request_options(TrajectoryRequest)
@json_option
def trajectory(json_mode: bool, **values: Any) -> int:
    """Analyse which denoising steps decide the predicted class, with negative controls.

    The image is the one that `generate` makes for the same class, seed and index. Several images (--count, --class all)
    give statistics over images. The same command continues an interrupted analysis.
    """
    console = Console(json_mode=json_mode)
    stopped = "Stopped. Every finished image is kept; run the same command again to continue."
    return carry_out(TrajectoryRequest(**values), console, WORDS, results=(AnalysisStarted, Analysed), stopped=stopped)
