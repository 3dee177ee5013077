"""`curate`: which images of a set are worth keeping, with a reason for each that is not."""

from __future__ import annotations

from typing import Any, Final

import click

from cli.console import Console
from cli.derive import Words, carry_out, request_options
from cli.options import json_option
from evaluation.curation.request import CurationFinished, CurationRequest

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

WORDS: Final[Words] = {
    CurationFinished: lambda end: f"{end.verdict}\nEvery decision is in {end.curation}",
}


@click.command(short_help="Say which images of a set to keep, and why.", epilog=EPILOG)
@request_options(CurationRequest)
@json_option
def curate(json_mode: bool, **values: Any) -> int:
    """Measure every image of SYNTHETIC and decide by rules which ones to keep."""
    console = Console(json_mode=json_mode)
    return carry_out(CurationRequest(**values), console, WORDS, stopped="Stopped; nothing was written.")
