"""`evaluate`: how a synthetic set compares with held-out photographs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import click

from cli.console import Console
from cli.derive import Words, carry_out, json_option, request_options
from evaluation.request import EvaluationFinished, EvaluationRequest

EPILOG = """
\b
Examples
  python main.py evaluate --synthetic demo --real PHOTOS --output demo-evaluation
  python main.py evaluate --synthetic demo --synthetic other --real HELD_OUT --train TRAINING --output findings
  python main.py evaluate --synthetic demo --real HAM10000 --train HAM10000 --output findings

--real and --train may be one data set: it is split by lesion as for the starter models. The output folder gets
results.json, report.html and report.pdf; docs/evaluation.md explains what each number can and cannot show.
"""


@click.command(short_help="Evaluate a synthetic set: distances, class fidelity, copies, each with a CI.", epilog=EPILOG)
@request_options(EvaluationRequest)
@json_option
def evaluate(json_mode: bool, **values: Any) -> int:
    """Evaluate generated images against held-out photographs, of lesions that the generator was not trained on.

    Every number is given with its n, its 95 % CI and a real-vs-real baseline. Features are cached: an evaluation that
    was stopped continues where it stopped.
    """
    console = Console(json_mode=json_mode)
    stopped = "Stopped; the features computed so far are kept."
    return carry_out(EvaluationRequest(**values), console, WORDS, stopped=stopped)


def _summary(end: EvaluationFinished) -> Iterator[str]:
    for name, found in end.sets.items():
        yield f"{name} ({found['images']} images): {found['verdict']}"
        for section in found["sections"]:
            yield f"  {section['level']:<8} {section['title']}: {section['verdict']}"
    yield f"The report is in {end.output}: report.html, report.pdf, results.json."


WORDS: Final[Words] = {EvaluationFinished: _summary}
