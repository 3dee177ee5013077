"""`models import`: a Keras classifier of HAM10000_CNN becomes one of this program's."""

from __future__ import annotations

from pathlib import Path

import click

from cli.console import Console
from cli.options import ANY_PATH, OUTPUT_FOLDER, json_option


@click.command("import")
@click.argument("file", type=ANY_PATH, metavar="FILE.h5")
@click.option(
    "--output", type=OUTPUT_FOLDER, required=True, help="Folder for the classifier; it must not hold one yet."
)
@json_option
def import_model(file: Path, output: Path, json_mode: bool) -> None:
    """Import a Keras classifier (.h5) of HAM10000_CNN, without running anything in it."""
    from legacy.keras_import import import_keras

    imported = import_keras(file, output)
    console = Console(json_mode=json_mode)
    console.event(
        {
            "event": "imported",
            "file": str(file),
            "output": str(imported.folder),
            "architecture": imported.architecture,
            "image_size": imported.image_size,
        }
    )
    if not json_mode:
        console.say(
            f"{file.name} is a {imported.architecture} for {imported.image_size} x {imported.image_size} pixels; it is "
            f'now in {output}.\nUse it with: python main.py classify IMAGE --classifier "{output}"'
        )
