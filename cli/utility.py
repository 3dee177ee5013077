"""`utility`: does the synthetic data help a classifier?"""

from __future__ import annotations

from typing import Any, Final

import click

from cli.console import Console
from cli.derive import Words, carry_out, request_options
from cli.options import json_option
from evaluation.utility.request import ArmTrained, UtilityFinished, UtilityRequest

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
@request_options(UtilityRequest)
@json_option
def utility(json_mode: bool, **values: Any) -> int:
    """Train classifiers with and without the synthetic images, and say whether the difference is one.

    An experiment that was stopped goes on where it was.
    """
    return carry_out(UtilityRequest(**values), Console(json_mode=json_mode), WORDS)


def _trained(arm: ArmTrained) -> str:
    return f"{arm.title}, seed {arm.seed}: {arm.balanced_accuracy:.3f} on validation lesions"


def _summary(end: UtilityFinished) -> str:
    if end.status == "stopped":
        return f"Stopped; finished trainings are kept in {end.output}. The same command goes on."
    return f"{end.verdict}\nThe report is in {end.report}"


WORDS: Final[Words] = {ArmTrained: _trained, UtilityFinished: _summary}
