"""`evaluate`: is a synthetic set any good?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from cli.console import Console
from cli.options import ANY_PATH, FOLDER, OUTPUT_FOLDER, device_option, json_option
from cli.signals import EXIT_INTERRUPTED, stop_on_signal
from core.events import Event, Notice

if TYPE_CHECKING:
    from evaluation.results import Findings

EPILOG = """
\b
Examples
  python main.py evaluate --synthetic demo --real PHOTOS --output demo-evaluation
  python main.py evaluate --synthetic demo --synthetic other --real HELD_OUT --train LEARNT_FROM --output findings
  python main.py evaluate --synthetic demo --real HAM10000 --train HAM10000 --output findings

--real and --train may be one data set: it is divided by lesion as it was for the starter models. The output folder gets
results.json, report.html and report.pdf; docs/evaluation.md says what each number can and cannot say.
"""


@click.command(short_help="Is a synthetic set any good? Distances, copies, classes, with intervals.", epilog=EPILOG)
@click.option(
    "--synthetic", type=FOLDER, multiple=True, required=True, help="Generated images; repeat to compare sets."
)
@click.option("--real", type=ANY_PATH, required=True, help="Photographs of lesions that the generator has not seen.")
@click.option("--train", type=ANY_PATH, help="Photographs that it has learnt from: then copies are looked for.")
@click.option("--masks", type=FOLDER, help="Masks that the images were asked to follow.")
@click.option("--reference", type=FOLDER, help="Images to compare with pair by pair, by file name.")
@click.option("--output", type=OUTPUT_FOLDER, required=True, help="Where results.json, report.html and report.pdf go.")
@click.option(
    "--features", "--inception", "features", type=ANY_PATH, help="Weights of Inception (TF) or torchvision's ImageNet."
)
@click.option("--lpips", type=ANY_PATH, help="torchvision's AlexNet: then pairs are compared by LPIPS, too.")
@click.option("--evaluator", type=ANY_PATH, help="Classifier that judges [default: the starter's independent one].")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random halves and subsets.")
@device_option
@json_option
def evaluate(synthetic: tuple[Path, ...], json_mode: bool, **values: Any) -> int:
    """Measure generated images against photographs of lesions that the generator has not seen.

    Every number comes with its n, its interval, and what real photographs of other lesions reach. Features are cached:
    an evaluation that was stopped goes on where it was.
    """
    from evaluation.context import Stopped
    from evaluation.request import EvaluationRequest
    from evaluation.run import evaluate as carry_out

    console = Console(json_mode=json_mode)
    request = EvaluationRequest(synthetic, **values)
    with stop_on_signal() as cancel, _Follower(console) as follower:
        try:
            findings = carry_out(request, follower.follow, cancel)
        except Stopped:
            console.warn("Stopped; what was computed is kept for the next time.")
            return EXIT_INTERRUPTED
    for line in _summary(findings, request.output):
        console.say(line)
    return 0


class _Follower:
    """A bar on standard error, and events for programs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Any = None

    def __enter__(self) -> _Follower:
        self._bar = tqdm(total=100, unit="%", disable=None, dynamic_ncols=True, leave=False, file=sys.stderr)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def follow(self, event: Event) -> None:
        """Take an event."""
        from evaluation.request import Progressed

        self._console.event(event)
        if isinstance(event, Progressed):
            self._bar.set_description_str(event.words, refresh=False)
            self._bar.update(round(100 * event.fraction) - self._bar.n)
        elif isinstance(event, Notice):
            with tqdm.external_write_mode(file=sys.stderr):
                self._console.warn(f"Note: {event.message}")


def _summary(findings: Findings, output: Path) -> list[str]:
    lines = []
    for found in findings.sets:
        lines.append(f"{found.name} ({len(found.images)} images): {found.verdict}")
        lines += [f"  {section.level:<8} {section.title}: {section.verdict}" for section in found.sections]
    return [*lines, f"The report is in {output}: report.html, report.pdf, results.json."]
