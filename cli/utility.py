"""`utility`: does the synthetic data help a classifier?"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from cli.console import Console
from cli.options import ANY_PATH, OUTPUT_FOLDER, device_option, json_option
from cli.signals import EXIT_INTERRUPTED, stop_on_signal
from core.errors import UsageError
from core.events import Event, Notice
from evaluation.utility.request import PRESETS, UtilityRequest

if TYPE_CHECKING:
    from evaluation.utility.request import Preset, UtilityFinished

EPILOG = """
\b
Examples
  python main.py utility --train PHOTOS --test HELD_OUT --synthetic demo --output findings
  python main.py utility --train HAM10000 --test HAM10000 --synthetic demo --output findings --preset standard

--train and --test may be one data set: it is divided by lesion. Arms: real; real with class weights; real with rare
classes drawn more often; real with real photographs once more; real with synthetic images at each ratio; synthetic
alone. The same number of optimiser steps in all of them. docs/utility.md says what the answer is worth.
"""


@click.command(short_help="Does the synthetic data help a classifier? Fair arms, intervals.", epilog=EPILOG)
@click.option("--train", type=ANY_PATH, required=True, help="Photographs to learn from: a folder or a table.")
@click.option("--test", type=ANY_PATH, required=True, help="Photographs of other lesions, to be asked about.")
@click.option("--synthetic", type=ANY_PATH, multiple=True, required=True, help="Generated images; may be repeated.")
@click.option(
    "--output", type=OUTPUT_FOLDER, required=True, help="Where results.json and report.html go, and the trainings."
)
@click.option("--preset", type=click.Choice(list(PRESETS)), default="quick", show_default=True, help="How thorough.")
@click.option("--ratios", help="Synthetic to real images, one arm each: 0.5,1,2,5 [default: the preset's].")
@click.option("--seeds", type=int, help="Trainings of each arm [default: the preset's].")
@click.option("--steps", type=int, help="Optimiser steps of each training [default: the preset's].")
@click.option("--architecture", help="Network, as in 'train classifier' [default: the preset's].")
@click.option("--image-size", type=int, help="Side of the squares in pixels [default: the preset's].")
@click.option("--curate", default="", metavar="RULES", help="Leave images out before: fidelity>=0.5,copies,duplicates.")
@device_option
@json_option
def utility(json_mode: bool, **values: Any) -> int:
    """Train classifiers with and without the synthetic images, and say whether the difference is one.

    An experiment that was stopped goes on where it was.
    """
    request = request_of(**values)
    from evaluation.utility.experiment import run_experiment

    with stop_on_signal() as cancel:
        return _follow(run_experiment(request, cancel), Console(json_mode=json_mode))


def request_of(
    *,
    train: Path,
    test: Path,
    synthetic: tuple[Path, ...],
    output: Path,
    preset: str,
    ratios: str | None,
    seeds: int | None,
    device: str,
    curate: str,
    **training: Any,
) -> UtilityRequest:
    """Return the request that the parsed flags stand for."""
    usual: Preset = PRESETS[preset]
    chosen = {name: value for name, value in training.items() if value is not None}
    return UtilityRequest(
        train,
        test,
        synthetic,
        output,
        dataclasses.replace(usual.training, **chosen),
        usual.ratios if ratios is None else _ratios(ratios),
        usual.seeds if seeds is None else seeds,
        device,
        curate,
    )


def _ratios(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(
            f"The ratios '{text}' are no numbers.", remedy="Write them like this: --ratios 0.5,1,2,5"
        ) from error


def _follow(events: Iterator[Event], console: Console) -> int:
    """Print the stream and return the exit code."""
    from evaluation.utility.request import ArmTrained, UtilityFinished, UtilityProgress

    with tqdm(total=100, unit="%", disable=None, dynamic_ncols=True, leave=False, file=sys.stderr) as bar:
        for event in events:
            console.event(event)
            if isinstance(event, UtilityProgress):
                bar.set_description_str(event.words, refresh=False)
                bar.update(round(100 * event.fraction) - bar.n)
            elif isinstance(event, ArmTrained):
                _say(console, f"{event.title}, seed {event.seed}: {event.balanced_accuracy:.3f} on validation lesions")
            elif isinstance(event, Notice):
                _say(console, f"Note: {event.message}")
    assert isinstance(event, UtilityFinished)
    console.say(_summary(event))
    return EXIT_INTERRUPTED if event.status == "stopped" else 0


def _say(console: Console, words: str) -> None:
    with tqdm.external_write_mode(file=sys.stderr):
        console.warn(words)


def _summary(end: UtilityFinished) -> str:
    if end.status == "stopped":
        return f"Stopped; finished trainings are kept in {end.output}. The same command goes on."
    return f"{end.verdict}\nThe report is in {end.report}"
