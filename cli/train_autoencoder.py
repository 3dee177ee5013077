"""`train autoencoder`: what is printed during its training and at the end."""

from __future__ import annotations

from typing import Any, Final

import click

from cli.console import Console
from cli.derive import TrainingBar, Words, carry_out, json_option, request_options
from cli.train_diffusion import ProgressRate, about_data, duration
from diffusion.autoencoder.events import AutoencoderFinished, Reconstructed, ReconstructionMeasured
from diffusion.autoencoder.request import TrainAutoencoderRequest
from diffusion.events import DataRead, TrainingStarted, TrainingStep


@click.command(name="autoencoder", short_help="Train an autoencoder for latent generators.")
@request_options(TrainAutoencoderRequest)
@json_option
def autoencoder_command(json_mode: bool, **values: Any) -> int:
    """Train an autoencoder on your own photographs.

    It encodes photographs as small latent images and decodes them again; training a generator on these costs a tenth.
    Splits are by lesion. The report in RUN/pack measures how well held-out photographs are reconstructed, the ceiling
    for everything generated from its latents. Ctrl-C stops and keeps everything; --resume continues.
    """
    pace = ProgressRate()
    words: Words = {**WORDS, TrainingStarted: pace.begin, TrainingStep: pace.tell}
    return carry_out(
        TrainAutoencoderRequest(**values),
        Console(json_mode=json_mode),
        words,
        results=words.keys(),
        stopped="Stopped; everything is kept. Continue with the same --output and --resume.",
        bar=TrainingBar(TrainingStarted, TrainingStep),
    )


def _about_look(event: Reconstructed) -> str:
    return f"{event.images} images: PSNR {event.psnr:.2f} dB on held-out lesions; {event.sheet}"


def _about_measurement(event: ReconstructionMeasured) -> str:
    return f"Reconstruction: {event.sentence} ({event.file})"


def _about_end(event: AutoencoderFinished) -> list[str]:
    if event.status == "completed":
        return [f"Done: {event.images} images in {duration(event.seconds)}. The model is in {event.model}."]
    again = f"Continue with: python main.py train autoencoder --output {event.output} --resume"
    return [f"Stopped after {event.images} images; everything is kept in {event.output}.", again]


WORDS: Final[Words] = {
    DataRead: about_data,
    Reconstructed: _about_look,
    ReconstructionMeasured: _about_measurement,
    AutoencoderFinished: _about_end,
}
