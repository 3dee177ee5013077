"""`generate` and `resume`: run the engine, follow its events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from cli.console import Console
from cli.options import (
    FOLDER,
    OUTPUT_FOLDER,
    BatchSizeType,
    CountsType,
    SeedType,
    ShardType,
    device_option,
    guidance_option,
    json_option,
    models_option,
    no_color_option,
    precision_option,
    sampler_option,
)
from cli.progress import ProgressBar
from cli.signals import EXIT_INTERRUPTED, stop_on_signal
from core.errors import ISICGUIError, ModelRefusedError
from core.events import Event, Failed, Finished, ImageDone, Notice
from core.generator.request import GenerationRequest, RunChanges
from core.generator.samplers import usual_steps
from core.utils.path_manager import PathManager


@click.command(short_help="Make images, each with its recipe inside.")
@click.option("--classes", "counts", type=CountsType(), required=True, help="Images per class: MEL=4,NV=2 or all=3.")
@click.option("--output", type=OUTPUT_FOLDER, required=True, help="Folder the images go to; numbering continues in it.")
@models_option
@click.option(
    "--seed", type=SeedType(), default="42", show_default=True, metavar="N|random", help="Base seed, or random."
)
@click.option("--steps", type=int, help="Denoising steps, 1 to 1000 [default: 20; ddim and ddpm 50].")
@sampler_option
@guidance_option
@device_option
@precision_option
@click.option(
    "--batch-size", type=BatchSizeType(), default="auto", show_default=True, metavar="N|auto", help="Images at once."
)
@no_color_option
@click.option(
    "--xai-every",
    type=int,
    default=0,
    metavar="N",
    help="Explain one image in every N of each class, the first at once; 0 none.",
)
@click.option("--trajectory", is_flag=True, help="Keep every denoising step of every image.")
@click.option("--shard", type=ShardType(), default="1/1", help="Make only the I-th of N parts of the run.")
@click.option(
    "--threads",
    type=click.IntRange(0, 1024),
    default=0,
    metavar="N",
    help="Processor threads [default: as many as there are].",
)
@json_option
def generate(json_mode: bool, threads: int, **values: Any) -> int:
    """Make images and put them into a folder, each with its recipe inside.

    The predecessor's setting is --sampler ddpm (50 steps).
    """
    request = request_of(**values)
    _use_threads(threads)
    from core.generator.image_generator import ImageGenerator

    with stop_on_signal() as cancel:
        return _follow(ImageGenerator().generate(request, cancel), Console(json_mode=json_mode))


def _use_threads(count: int) -> None:
    if count:
        import torch

        torch.set_num_threads(count)


def request_of(*, no_color: bool, **values: Any) -> GenerationRequest:
    """Return the request that the parsed flags of `generate` stand for."""
    values["models"] = values["models"] or PathManager().default_models_dir
    values["steps"] = usual_steps(values["sampler"]) if values["steps"] is None else values["steps"]
    return GenerationRequest(color=not no_color, **values)


@click.command(short_help="Finish the interrupted runs of an output folder.")
@click.argument("output", type=FOLDER)
@click.option("--models", type=FOLDER, help="Where the models are now, if they have moved.")
@click.option("--device", help="auto, cpu, cuda or cuda:N [default: as the run was begun].")
@click.option("--batch-size", type=int, metavar="N", help="Images at once [default: as the run was begun].")
@json_option
def resume(output: Path, json_mode: bool, **changes: Any) -> int:
    """Finish the interrupted runs of an output folder, with the same remaining seeds."""
    from core.generator.image_generator import ImageGenerator

    with stop_on_signal() as cancel:
        events = ImageGenerator().resume(output, cancel, changes=RunChanges(**changes))
        return _follow(events, Console(json_mode=json_mode))


def _follow(events: Iterator[Event], console: Console) -> int:
    """Print the stream, explain what was asked for, and return the exit code."""
    code = 0
    with ProgressBar() as bar:
        for event in events:
            bar.show(event)
            console.event(event)
            code = max(code, _tell(event, console))
            if isinstance(event, ImageDone) and event.explain:
                _explain(event, console)
    return code


def _tell(event: Event, console: Console) -> int:
    """Say in words what people must not miss; return the exit code that the event implies."""
    if isinstance(event, Notice):
        console.warn(event.message)
    elif isinstance(event, Failed):
        console.warn(f"{event.class_code}: {event.message} {event.remedy}")
        return ModelRefusedError.exit_code
    elif isinstance(event, Finished):
        if event.run_id:  # without one there was nothing to resume, which a notice has said
            console.say(_summary(event))
        return EXIT_INTERRUPTED if event.status in ("stopped", "discarded") else 0
    return 0


def _summary(event: Finished) -> str:
    images = f"{event.written} image{'' if event.written == 1 else 's'}"
    if event.status == "discarded":
        return "Stopped; the images of this run were taken back."
    if event.status == "stopped":
        return f"Stopped; {images} kept in {event.output}. Finish it with: python main.py resume {event.output}"
    return f"{images} in {event.output} ({event.seconds:.1f} s)"


def _explain(event: ImageDone, console: Console) -> None:
    """Explain one finished image; a refused classifier is told, it does not end the run."""
    from xai.xai_integration import run_xai_analysis

    try:
        _, saved = run_xai_analysis(event.file)
    except ISICGUIError as error:
        console.warn(f"No explanation of {event.file.name}: {error}")
    else:
        console.event({"event": "explained", "file": str(event.file), "overlay": str(saved)})
