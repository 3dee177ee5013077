"""`classify`: a classifier's probabilities for images, with the gate's verdict."""

from __future__ import annotations

from pathlib import Path

import click

from cli.console import Console
from cli.inputs import find_images
from cli.options import classifier_option, device_option, inputs_argument, json_option
from core.errors import InputRefusedError


@click.command()
@inputs_argument
@classifier_option
@device_option
@json_option
def classify(inputs: tuple[Path, ...], classifier: Path | None, device: str, json_mode: bool) -> int:
    """Say what a classifier makes of each image. Research only; never a diagnosis."""
    console = Console(json_mode=json_mode)
    images = find_images(inputs, console.warn)
    from xai.explain import classify_image

    refused = 0
    for image in images:
        try:
            answer = classify_image(image, classifier, device)
        except InputRefusedError as error:
            refused = error.exit_code
            console.error(error.kind, error.message, error.remedy)
            continue
        console.event(
            {
                "event": "classified",
                "file": str(image),
                "predicted": answer.predicted,
                "probabilities": dict(answer.probabilities),
                "gate": answer.gate.to_json(),
            }
        )
        if not json_mode:
            console.say(_line(image, answer.predicted, answer.probabilities[answer.predicted], answer.gate.level))
    return refused


def _line(image: Path, predicted: str, probability: float, level: str) -> str:
    return f"{image}  {predicted} {probability:.0%}  gate: {level}"
