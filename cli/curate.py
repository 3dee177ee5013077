"""`curate`: which images of a set to keep, with a reason for each that is rejected."""

from __future__ import annotations

from typing import Any, Final

import click

from cli.console import Console
from cli.derive import Words, carry_out, json_option, request_options
from evaluation.curation.request import CurationFinished, CurationRequest

EPILOG = """
\b
Rules, joined by commas
  fidelity>=X  the starter classifier gives the target class a probability of at least X, 0 to 1
  copies       no suspected copy of a training photograph (needs --train)
  duplicates   of near-duplicates, the best one only
  best=P%      the best P percent of each class; best=N the best N
  standard     fidelity>=0.1,copies,duplicates
  none         all images are kept, measured and ranked

\b
Examples
  python main.py curate demo --output curated --train HAM10000
  python main.py export demo --to set --format imagefolder --curation curated

No image is moved or deleted. curation.csv lists for each whether it is kept, and why; you may edit it
(docs/curation.md).
"""

WORDS: Final[Words] = {
    CurationFinished: lambda end: f"{end.verdict}\nEvery decision is in {end.curation}",
}


@click.command(short_help="Decide by rules which images of a set to keep, with reasons.", epilog=EPILOG)
@request_options(CurationRequest)
@json_option
def curate(json_mode: bool, **values: Any) -> int:
    """Measure every image of SYNTHETIC and decide by rules which to keep."""
    console = Console(json_mode=json_mode)
    return carry_out(CurationRequest(**values), console, WORDS, stopped="Stopped; nothing was written.")
