"""`evaluate`: is a synthetic set any good?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import click

from cli.console import Console
from cli.derive import Words, carry_out, request_options
from cli.options import json_option
from evaluation.request import EvaluationFinished, EvaluationRequest

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
@request_options(EvaluationRequest)
@json_option
def evaluate(json_mode: bool, **values: Any) -> int:
    """Measure generated images against photographs of lesions that the generator has not seen.

    Every number comes with its n, its interval, and what real photographs of other lesions reach. Features are cached:
    an evaluation that was stopped goes on where it was.
    """
    console = Console(json_mode=json_mode)
    stopped = "Stopped; what was computed is kept for the next time."
    return carry_out(EvaluationRequest(**values), console, WORDS, stopped=stopped)


def _summary(end: EvaluationFinished) -> Iterator[str]:
    for name, found in end.sets.items():
        yield f"{name} ({found['images']} images): {found['verdict']}"
        for section in found["sections"]:
            yield f"  {section['level']:<8} {section['title']}: {section['verdict']}"
    yield f"The report is in {end.output}: report.html, report.pdf, results.json."


WORDS: Final[Words] = {EvaluationFinished: _summary}
