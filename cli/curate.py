"""`curate`: which images of a set are worth keeping, with a reason for each that is not."""

from __future__ import annotations

import sys
from typing import Any

import click
from tqdm import tqdm

from cli.console import Console
from cli.options import ANY_PATH, OUTPUT_FOLDER, classifier_option, json_option
from cli.signals import EXIT_INTERRUPTED, stop_on_signal
from core.events import Event
from evaluation.curation.request import CurationFinished, CurationProgress, CurationRequest

EPILOG = """
\b
Rules, joined by commas
  fidelity>=X  the independent classifier gives the class asked for a probability of at least X, 0 to 1
  copies       no image that looks like a copy of a training photograph (needs --train)
  duplicates   of images that are nearly the same, the best one only
  best=P%      the best P percent of each class; best=N the best N
  standard     fidelity>=0.1,copies,duplicates
  none         everything is kept, measured and ranked

\b
Examples
  python main.py curate demo --output curated --train HAM10000
  python main.py export demo --to set --format imagefolder --curation curated

No image is moved or deleted. curation.csv says of each whether it is kept and why; it may be edited. docs/curation.md.
"""


@click.command(short_help="Say which images of a set to keep, and why.", epilog=EPILOG)
@click.argument("synthetic", type=ANY_PATH)
@click.option("--output", type=OUTPUT_FOLDER, required=True, help="Where curation.csv and curation.json go.")
@click.option("--rules", default="", help="What is left out, see below [default: standard, or what can be measured].")
@click.option("--train", type=ANY_PATH, help="Photographs that the generator has learnt from, to find copies of.")
@click.option("--real", type=ANY_PATH, help="Photographs of other lesions [default: --train divided by lesion].")
@classifier_option
@json_option
def curate(json_mode: bool, **values: Any) -> int:
    """Measure every image of SYNTHETIC and decide by rules which ones to keep."""
    request = CurationRequest(**values)
    console = Console(json_mode=json_mode)
    from evaluation.curation.run import Stopped, run_curation

    with stop_on_signal() as cancel, tqdm(total=100, unit="%", disable=None, leave=False, file=sys.stderr) as bar:
        try:
            run_curation(request, lambda event: _show(event, console, bar), lambda: cancel.stops_now)
        except Stopped:
            console.warn("Stopped; nothing was written.")
            return EXIT_INTERRUPTED
    return 0


def _show(event: Event, console: Console, bar: Any) -> None:
    console.event(event)
    if isinstance(event, CurationProgress):
        bar.set_description_str(event.words, refresh=False)
        bar.update(round(100 * event.fraction) - bar.n)
    elif isinstance(event, CurationFinished):
        bar.close()
        for note in event.notes:
            console.warn(f"Note: {note}")
        console.say(f"{event.verdict}\nEvery decision is in {event.curation}")
