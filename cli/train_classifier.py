"""`train classifier`: what is printed during its training, and how to use the result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import click

from classifier.events import (
    DataRead,
    Evaluated,
    Measured,
    RunStopped,
    SplitReady,
    Summarised,
    TrainingFinished,
    TrainingStarted,
    TrainingStep,
)
from classifier.request import TrainClassifierRequest
from cli.console import Console
from cli.derive import TrainingBar, Words, carry_out, json_option, request_options
from core.few import FEW


@click.command("classifier")
@request_options(TrainClassifierRequest)
@json_option
def classifier_command(json_mode: bool, **values: Any) -> int:
    """Train a classifier on your own photographs.

    Training, validation and test are split by lesion. The epoch with the best balanced accuracy on the validation
    lesions is kept, measured on the test lesions, and exported to OUTPUT/model.
    """
    bar = TrainingBar(TrainingStarted, TrainingStep, TrainingFinished)
    return carry_out(TrainClassifierRequest(**values), Console(json_mode=json_mode), WORDS, bar=bar)


def _about_data(event: DataRead) -> Iterator[str]:
    what = f"{event.images} images; it has no lesion identifiers, so each image counts as a separate lesion"
    if event.lesions is not None:
        what = f"{event.images} images of {event.lesions} lesions"
    weights = "pretrained weights" if event.is_pretrained else "random weights, from scratch: nothing is pretrained"
    yield f"Data: {event.source} ({event.kind}), {what}."
    yield f"Network: {event.architecture}, {event.scenario}, {weights}."
    yield f"Run: {event.output}"


def _about_split(event: SplitReady) -> str:
    parts = (f"{name} {n['images']} images of {n['lesions']} lesions" for name, n in event.counts.items())
    return f"{event.title}: {', '.join(parts)}. {event.leakage}"


def _about_epoch(event: Evaluated) -> str:
    return (
        f"epoch {event.epoch:3}  loss {event.loss:.3f}  validation balanced accuracy "
        f"{event.val_balanced_accuracy:.3f}  best {event.best:.3f}"
    )


def _about_measure(event: Measured) -> Iterator[str]:
    value = "not defined" if event.balanced_accuracy is None else f"{event.balanced_accuracy:.3f}"
    interval = "" if event.low is None else f" (95 % CI {event.low:.3f} to {event.high:.3f})"
    few = ", too few to say much" if event.images < FEW else ""
    where = f"on the {event.measured_on} lesions ({event.images} images{few}; chance {event.chance:.3f})"
    yield f"{event.title}: balanced accuracy {value}{interval} {where}."
    yield f'Use it: python main.py classify IMAGE --classifier "{event.model}"'


def _about_all(event: Summarised) -> str:
    return f"Over {event.parts} trainings: {event.summary}"


def _about_stop(event: RunStopped) -> str:
    return f'Stopped; everything is kept. Continue with the same --data and --resume --output "{event.output}"'


WORDS: Final[Words] = {
    DataRead: _about_data,
    SplitReady: _about_split,
    Evaluated: _about_epoch,
    Measured: _about_measure,
    Summarised: _about_all,
    RunStopped: _about_stop,
}
