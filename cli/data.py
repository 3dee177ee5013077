"""`data`: what folders of photographs contain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import click

from cli.console import Console
from cli.derive import Words, carry_out, json_option, request_options
from dataset.data_check import DataChecked, DataCheckRequest

EPILOG = """
\b
Examples
  python main.py data check PHOTOS
  python main.py data check PHOTOS --masks MASKS --output look
  python main.py data check table.csv --json

PHOTOS is what `train` and `evaluate` take: class folders, a table, HAM10000, ISIC 2018 to 2020, the archive's
metadata.csv, Hugging Face, derm7pt or PH2. Every photograph is opened; nothing is trained or changed.
"""


@click.group()
def data() -> None:
    """Check photographs before training."""


@data.command(epilog=EPILOG, short_help="Report what a folder or table of photographs contains.")
@request_options(DataCheckRequest)
@json_option
def check(json_mode: bool, **values: Any) -> int:
    """Report the form of the labels, the photographs and lesions per class, and what looks wrong."""
    return carry_out(DataCheckRequest(**values), Console(json_mode=json_mode), WORDS)


def _summary(found: DataChecked) -> Iterator[str]:
    yield f"{found.source}: {found.total} photographs, " + (f"labelled as {found.form}" if found.form else "no labels")
    for code, count in found.classes.items():
        lesions = f", {found.lesions[code]} lesions" if found.grouped else ""
        yield f"  {code:6} {count:6}{lesions}"
    if found.leakage:
        yield found.leakage
    yield f"Licence: {found.licence}."
    yield from found.notes
    if found.sheet is not None:
        yield f"A few photographs of each class are in {found.sheet}."


WORDS: Final[Words] = {DataChecked: _summary}
