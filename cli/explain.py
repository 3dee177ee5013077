"""`explain`: attribution maps of images, with overlays, raw arrays and a report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import click

from cli.console import Console
from cli.derive import Words, carry_out, json_option, request_options
from xai.explanation import Explained, ExplainFinished, ExplainRequest, Refused


def _end(event: ExplainFinished) -> Iterator[str]:
    if event.report is not None:
        yield f"Report: {event.report}"
    if event.status == "stopped":
        yield "Stopped; every finished map is kept."


WORDS: Final[Words] = {
    Refused: lambda event: [f"Error: {event.message}", event.remedy],
    Explained: lambda event: f"{event.file}  {event.method} for {event.target}  check: {event.gate.result}",
    ExplainFinished: _end,
}


@click.command()
@request_options(ExplainRequest)
@json_option
def explain(json_mode: bool, **values: Any) -> int:
    """Show which pixels support a class and which oppose it.

    All images share one report in the output folder. Ctrl-C keeps what is finished.
    """
    return carry_out(ExplainRequest(**values), Console(json_mode=json_mode), WORDS, results=(Explained,))
