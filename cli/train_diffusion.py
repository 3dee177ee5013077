"""`train diffusion`: what is printed during its training, and how to use the model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import click

from cli.console import Console
from cli.derive import TrainingBar, Words, carry_out, json_option, request_options
from diffusion.events import (
    DataRead,
    Evaluated,
    MemorisationJudged,
    TrainingFinished,
    TrainingStarted,
    TrainingStep,
)
from diffusion.request import TrainDiffusionRequest


@click.command(name="diffusion", short_help="Train a generator.")
@request_options(TrainDiffusionRequest)
@json_option
def diffusion_command(json_mode: bool, **values: Any) -> int:
    """Train a generator on your own photographs.

    Splits are by lesion. The weights whose samples have the smallest kernel distance to held-out photographs are kept
    in RUN/best. Ctrl-C stops and keeps everything; --resume continues. Several GPUs: accelerate launch main.py train
    diffusion ...
    """
    pace = ProgressRate()
    words: Words = {**WORDS, TrainingStarted: pace.begin, TrainingStep: pace.tell}
    return carry_out(
        TrainDiffusionRequest(**values),
        Console(json_mode=json_mode),
        words,
        results=words.keys(),
        stopped="Stopped; everything is kept. Continue with the same --output and --resume.",
        bar=TrainingBar(TrainingStarted, TrainingStep),
    )


class ProgressRate:
    """Says once for each network how long it will take."""

    def __init__(self) -> None:
        self._is_told = False

    def begin(self, event: TrainingStarted) -> str:
        """Return what begins."""
        self._is_told = False
        return _about_start(event)

    def tell(self, event: TrainingStep) -> Iterator[str]:
        """Yield the estimate, as soon as there is one."""
        if not self._is_told and event.remaining is not None and event.images_per_second is not None:
            self._is_told = True
            yield _estimate(event.images_per_second, event.remaining)


def _estimate(pace: float, remaining: float) -> str:
    end = datetime.now() + timedelta(seconds=remaining)
    return (
        f"{pace:.1f} images per second; at this rate {duration(remaining)} more, until "
        f"{end:%H:%M} on {end:%d.%m.}, plus the evaluations."
    )


def duration(seconds: float) -> str:
    """Return a duration in words."""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{round(seconds)} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def about_data(event: DataRead) -> list[str]:
    """Return how many photographs are in each part, and whether held-out lesions leak."""
    lines = [f"Photographs from {event.source}:"]
    for part, counts in event.counts.items():
        numbers = ", ".join(f"{code} {count}" for code, count in counts.items())
        lines.append(f"  {part:<11}{sum(counts.values()):>6}   {numbers}")
    return [*lines, f"Leakage: {event.leakage}"]


def _about_start(event: TrainingStarted) -> str:
    what = f"{event.class_code}: " if event.class_code else ""
    where = f"{event.device} in {event.precision}" + (f", {event.processes} processes" * (event.processes > 1))
    begun = f", continued at {event.images} images" if event.images else ""
    return f"{what}{event.parameters / 1e6:.1f} M parameters on {where}; run in {event.output}{begun}."


def _about_evaluation(event: Evaluated) -> str:
    distance = "no class has enough held-out photographs for a distance"
    if event.kid is not None:
        distance = f"kernel distance {event.kid:.4f} ({event.kid_low:.4f} to {event.kid_high:.4f}) in {event.space}"
    best = ", the best so far" if event.best else ""
    return f"{event.images} images: {distance}{best}; validation loss {event.validation_loss:.5f}; {event.sheet}"


def _about_memorisation(event: MemorisationJudged) -> str:
    return f"Memorisation: {event.sentence} ({event.file})"


def _about_end(event: TrainingFinished) -> list[str]:
    counts = ",".join(f"{code}=2" for code in event.classes)
    use = f"Use the model: python main.py generate --models {event.models} --classes {counts} --output OUT"
    if event.status == "completed":
        return [f"Done: {event.images} images in {duration(event.seconds)}.", use]
    again = f"Continue with: python main.py train diffusion --output {event.run} --resume"
    return [f"Stopped after {event.images} images; everything is kept in {event.run}.", again, use]


WORDS: Final[Words] = {
    DataRead: about_data,
    Evaluated: _about_evaluation,
    MemorisationJudged: _about_memorisation,
    TrainingFinished: _about_end,
}
