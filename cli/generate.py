"""`generate` and `resume`: run the engine, follow its events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

import click

from cli.console import Console, stop_on_signal
from cli.derive import ImageBar, Words, follow, json_option, request_of, request_options
from core.conditioning import CONDITIONS, Conditioning, ConditionKind
from core.errors import ISICGUIError, UsageError
from core.events import Event, Finished, ImageDone
from core.generation import GenerationRequest, ResumeRequest
from core.jobs.registry import run

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class ImageExplained(Event):
    """The explanation of a new image is saved next to it."""

    name: ClassVar[str] = "explained"
    file: Path
    overlay: Path


def condition_options(function: F) -> F:
    """Give a command a flag for every kind of condition that has one."""
    for key, kind in CONDITIONS.items():
        if kind.flag:
            function = click.option(kind.flag, f"condition_{key}", help=kind.hint)(function)
    return function


def conditioning_of(values: dict[str, Any]) -> Conditioning:
    """Take the flags of conditions out of the parsed values and return what they ask for."""
    texts = {key: values.pop(f"condition_{key}", None) for key in CONDITIONS}
    return Conditioning.of({key: _read(CONDITIONS[key], text) for key, text in texts.items() if text is not None})


def _read(kind: ConditionKind, text: str) -> Any:
    try:
        return kind.read(text)
    except ValueError as error:
        raise UsageError(f"{kind.flag} cannot be '{text}': {error}.", remedy=kind.hint) from error


@click.command(short_help="Generate images, each with its recipe inside.")
@request_options(GenerationRequest)
@condition_options
@json_option
def generate(json_mode: bool, **values: Any) -> int:
    """Generate images into a folder, each with its recipe (its generation parameters) inside.

    ISICGenerator's setting is --sampler ddpm (50 steps).
    """
    conditioning = conditioning_of(values)
    request = request_of(GenerationRequest, {**values, "conditioning": conditioning})
    return _carry_out(request, Console(json_mode=json_mode))


@click.command(short_help="Finish the interrupted runs of an output folder.")
@request_options(ResumeRequest)
@json_option
def resume(json_mode: bool, **values: Any) -> int:
    """Finish the interrupted runs of an output folder, with the same remaining seeds."""
    return _carry_out(ResumeRequest(**values), Console(json_mode=json_mode))


def _carry_out(request: GenerationRequest | ResumeRequest, console: Console) -> int:
    """Run the engine, explain the images that are due, and return the exit code."""
    with stop_on_signal() as cancel:
        return follow(_explained(run(request, cancel), console), console, WORDS, bar=ImageBar())


def _explained(events: Iterator[Event], console: Console) -> Iterator[Event]:
    """Yield the events, each image's explanation after the image; a refused classifier does not end the run."""
    for event in events:
        yield event
        if isinstance(event, ImageDone) and event.explain:
            from xai.xai_integration import run_xai_analysis

            try:
                _, saved = run_xai_analysis(event.file)
            except ISICGUIError as error:
                console.warn(f"No explanation of {event.file.name}: {error}")
            else:
                yield ImageExplained(event.file, saved)


def _summary(event: Finished) -> Iterator[str]:
    if event.run_id:
        yield _sentence(event)
    elif event.status != "completed":
        yield "Stopped before the run began; nothing was written."
    # of a completed one that is none there was nothing to resume, which a notice has said


def _sentence(event: Finished) -> str:
    images = f"{event.written} image{'' if event.written == 1 else 's'}"
    if event.status == "discarded":
        return "Stopped; the images of this run were deleted."
    if event.status == "stopped":
        return f"Stopped; {images} kept in {event.output}. Finish it with: python main.py resume {event.output}"
    return f"{images} in {event.output} ({event.seconds:.1f} s)"


WORDS: Final[Words] = {Finished: _summary}
