"""`utility`: whether synthetic training images improve a classifier."""

from __future__ import annotations

from typing import Any, Final

import click

from cli.console import Console
from cli.derive import Words, carry_out, json_option, request_options
from evaluation.utility.request import ArmTrained, UtilityFinished, UtilityRequest

EPILOG = """
\b
Examples
  python main.py utility --train PHOTOS --test HELD_OUT --synthetic demo --output findings
  python main.py utility --train HAM10000 --test HAM10000 --synthetic demo --output findings --preset standard

--train and --test may be one data set: it is split by lesion. Training conditions: real; real with class weights; real
with rare classes oversampled; real with resampled real photographs; real with synthetic images at each ratio; synthetic
alone. All use the same number of optimiser steps. docs/utility.md explains how to interpret the result.
"""


@click.command(
    short_help="Measure whether synthetic images improve a classifier, against fair controls.", epilog=EPILOG
)
@request_options(UtilityRequest)
@json_option
def utility(json_mode: bool, **values: Any) -> int:
    """Train classifiers with and without the synthetic images, and report the difference with its 95 % CI.

    A study that was stopped continues where it stopped.
    """
    return carry_out(UtilityRequest(**values), Console(json_mode=json_mode), WORDS)


def _trained(arm: ArmTrained) -> str:
    return f"{arm.title}, seed {arm.seed}: {arm.balanced_accuracy:.3f} on validation lesions"


def _summary(end: UtilityFinished) -> str:
    if end.status == "stopped":
        return f"Stopped; finished trainings are kept in {end.output}. Run the same command again to continue."
    return f"{end.verdict}\nThe report is in {end.report}"


WORDS: Final[Words] = {ArmTrained: _trained, UtilityFinished: _summary}
