"""`classify`: class probabilities of images, with the reliability check."""

from __future__ import annotations

from typing import Any, Final

import click

from cli.console import Console
from cli.derive import Words, carry_out, json_option, request_options
from xai.explanation import Classified, ClassifyRequest, Refused

WORDS: Final[Words] = {
    Refused: lambda event: [f"Error: {event.message}", event.remedy],
    Classified: lambda event: (
        f"{event.file}  {event.predicted} {event.probabilities[event.predicted]:.0%}  check: {event.gate.result}"
    ),
}


@click.command()
@request_options(ClassifyRequest)
@json_option
def classify(json_mode: bool, **values: Any) -> int:
    """Print the class probabilities of each image. Research only; never a diagnosis."""
    return carry_out(ClassifyRequest(**values), Console(json_mode=json_mode), WORDS, results=(Classified,))
