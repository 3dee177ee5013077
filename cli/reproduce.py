"""`reproduce`: generate an image again from its own recipe and compare the pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from cli.console import Console
from cli.derive import carry_out, json_option, request_options
from core.generation import ReproduceRequest

if TYPE_CHECKING:
    from core.generator.image_generator import Reproduced


@click.command(short_help="Reproduce an image and report the largest pixel difference.")
@request_options(ReproduceRequest)
@json_option
def reproduce(json_mode: bool, **values: Any) -> int:
    """Reproduce IMAGE from the recipe inside it and report the largest pixel difference."""
    from core.generator.image_generator import Reproduced

    return carry_out(ReproduceRequest(**values), Console(json_mode=json_mode), {Reproduced: _verdict})


def _verdict(event: Reproduced) -> Iterator[str]:
    yield from event.notes
    if event.max_difference == 0:
        yield "Identical: the largest pixel difference is 0 of 255."
    else:
        yield f"The largest pixel difference is {event.max_difference} of 255."
    if event.saved is not None:
        yield f"Written to {event.saved}"
