"""`trajectory`: the full analysis of how images came about, and of what the classifier sees in them."""

from __future__ import annotations

import sys
from typing import Any, Final

import click
from tqdm import tqdm

from cli.console import Console
from cli.options import (
    FILE,
    OUTPUT_FOLDER,
    classifier_option,
    device_option,
    guidance_option,
    json_option,
    models_option,
    no_color_option,
    precision_option,
    sampler_option,
)
from cli.signals import EXIT_INTERRUPTED, stop_on_signal
from core.errors import ModelRefusedError
from core.events import Event, Failed
from xai.explanation import BASELINES, ExplanationCancelled
from xai.trajectory.events import Analysed, AnalysisFinished, AnalysisStarted, Progress
from xai.trajectory.request import NEUTRAL_ACTIONS, TrajectoryRequest, default_methods, parse_classes

_BAR: Final = "{percentage:3.0f} % |{bar:30}| {elapsed} {desc}"


@click.command(short_help="Explain how images came about, step by step, and test it.")
@click.option("--class", "classes", default="MEL", show_default=True, help="MEL, MEL,NV or all.")
@click.option("--seed", type=int, default=42, show_default=True, help="Base seed, as of generate.")
@click.option("--index", type=int, default=0, show_default=True, help="First image, counted from 0 as generate does.")
@click.option("--count", type=int, default=1, show_default=True, help="Images of each class.")
@click.option(
    "--image",
    type=FILE,
    help="Analyse this image: class, seed and settings from its recipe.",
)
@click.option(
    "--output", type=OUTPUT_FOLDER, required=True, help="Folder of the analysis, or an output folder of images."
)
@models_option
@classifier_option
@click.option("--steps", type=int, help="Denoising steps [default: 20; ddim and ddpm 50].")
@sampler_option
@guidance_option
@precision_option
@no_color_option
@click.option("--every", type=int, default=5, show_default=True, metavar="N", help="Keep and explain every N-th step.")
@click.option(
    "--methods", default=",".join(default_methods()), show_default=True, help="Maps; the first decides the regions."
)
@click.option(
    "--baseline", type=click.Choice(list(BASELINES)), default="skin", show_default=True, help="Of maps that need one."
)
@click.option(
    "--groups", type=int, default=8, show_default=True, help="Groups of steps for Time-SHAP; up to 10 exactly."
)
@click.option(
    "--neutral",
    type=click.Choice(NEUTRAL_ACTIONS),
    default="auto",
    show_default=True,
    help="What a step does that is left out: predict no class, or hold the last prediction.",
)
@click.option("--quick", is_flag=True, help="Four groups; maps and interventions of the finished image only.")
@device_option
@json_option
def trajectory(classes: str, methods: str, json_mode: bool, no_color: bool, **values: Any) -> int:
    """Explain how images came about, step by step, and test what the explanation says.

    The image is the one that `generate` makes for the same class, seed and index. Several images (--count, --class all)
    give statistics over images. The same command continues what was interrupted.
    """
    names = tuple(name.strip() for name in methods.split(",") if name.strip())
    request = TrajectoryRequest(classes=parse_classes(classes), methods=names, color=not no_color, **values)
    console = Console(json_mode=json_mode)
    from xai.trajectory.run import run_analysis

    with stop_on_signal() as cancel, tqdm(total=100, bar_format=_BAR, disable=None, file=sys.stderr) as bar:
        teller = _Teller(console, bar)
        try:
            run_analysis(request, teller, lambda: cancel.stops_now)
        except ExplanationCancelled as error:
            console.error(error.kind, "Stopped.", "Every finished image is kept; the same command goes on from there.")
            return EXIT_INTERRUPTED
    return teller.code


class _Teller:
    """Prints the events of an analysis; `code` is the exit code that they imply."""

    def __init__(self, console: Console, bar: Any) -> None:
        self._console = console
        self._bar = bar
        self.code = 0

    def __call__(self, event: Event) -> None:
        self._console.event(event)
        if isinstance(event, Progress):
            self._bar.set_description_str(event.words, refresh=False)
            self._bar.update(round(100 * event.fraction) - self._bar.n)
        elif isinstance(event, AnalysisStarted):
            before = f" ({event.finished_parts} finished before)" if event.finished_parts else ""
            self._console.say(f"Images: {len(event.parts)}{before}. Folder: {event.output}")
        elif isinstance(event, Analysed):
            self._console.say(f"{event.class_code} {event.index}: {event.folder} ({event.seconds:.0f} s)")
        elif isinstance(event, Failed):
            self._console.warn(f"{event.class_code}: {event.message} {event.remedy}")
            self.code = ModelRefusedError.exit_code
        elif isinstance(event, AnalysisFinished):
            self._console.say(f"{event.verdict}\nReport: {event.report}")
