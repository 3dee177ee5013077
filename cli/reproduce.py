"""`reproduce`: make an image again from its own recipe."""

from __future__ import annotations

import io
from pathlib import Path

import click

from cli.console import Console
from cli.options import ANY_PATH, FOLDER, OUTPUT_FILE, device_option, json_option
from core.errors import OutputError


@click.command(short_help="Make an image again and say the largest pixel difference.")
@click.argument("image", type=ANY_PATH)
@click.option("--models", type=FOLDER, help="Where the weights are [default: as recorded, then the starter models].")
@click.option("--save", type=OUTPUT_FILE, help="Write the re-made image to this new file.")
@device_option
@json_option
def reproduce(image: Path, models: Path | None, save: Path | None, device: str, json_mode: bool) -> None:
    """Make IMAGE again from the recipe inside it and say the largest pixel difference."""
    _refuse_what_is_there(save)
    from core.generator.reproduce import reproduce as reproduce_image

    console = Console(json_mode=json_mode)
    result = reproduce_image(image, models=models, device=device)
    console.event(
        {
            "event": "reproduced",
            "file": str(image),
            "max_difference": result.max_difference,
            "mean_difference": result.mean_difference,
            "identical": result.identical,
            "same_weights": result.same_weights,
            "notes": list(result.notes),
        }
    )
    for note in result.notes:
        console.warn(note)
    console.say(_verdict(result.max_difference))
    if save is not None:
        _save(result.pixels, save)
        console.say(f"Written to {save}")


def _verdict(max_difference: int) -> str:
    if max_difference == 0:
        return "Identical: the largest pixel difference is 0 of 255."
    return f"The largest pixel difference is {max_difference} of 255."


def _refuse_what_is_there(path: Path | None) -> None:
    if path is not None and path.exists():
        raise OutputError(f"{path} exists already.", remedy="Choose another name; nothing is overwritten.", path=path)


def _save(pixels: object, path: Path) -> None:
    from PIL import Image

    from core.utils.atomic import create_bytes_atomic
    from core.utils.output_errors import output_errors

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")  # type: ignore[arg-type]  # a uint8 array
    with output_errors(path):
        create_bytes_atomic(path, buffer.getvalue())
