"""Draws the samples of a sheet, or takes those there are, and writes it as a PNG file."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.events import Event
from core.files.atomic import output_errors
from core.keeping import replace_kept
from diffusion.data import split_images
from diffusion.generated import Generated, fill_folder, read_generated, recommended
from diffusion.provenance import read_training, settings_of
from diffusion.sheet import labelled_sheet
from photographs.pixels import load_pixels
from photographs.sources import read_dataset

COLUMNS: Final = 12


@dataclass(frozen=True, slots=True)
class SheetRequest:
    """Which sheet is wanted.

    Attributes
    ----------
    models
        A model pack, or a folder of checkpoints.
    output
        PNG file to write.
    columns
        Samples of each class.
    samples
        Folder of generated images to take; if None they are drawn.
    folder
        Where drawn samples are kept; nowhere if None.
    real
        Data set whose held-out lesions are put beside.
    drawing
        Fields of `Draw` in place of what the models' maker recommends.
    """

    models: Path
    output: Path
    columns: int = COLUMNS
    samples: Path | None = None
    folder: Path | None = None
    real: Path | None = None
    drawing: Mapping[str, Any] = field(default_factory=dict)


def write_sheet(request: SheetRequest, tell: Callable[[Event], None]) -> None:
    """Write a sheet of the first images of every class.

    Parameters
    ----------
    tell
        Gets the events of drawing.

    Raises
    ------
    ISICGUIError
        If the models, the photographs or the folder of images cannot be used.
    """
    generated = _samples(request, tell)
    photographs = None if request.real is None else _photographs(request, request.real, generated)
    save_sheet(generated, request.output, request.columns, photographs)


def save_sheet(
    generated: Generated,
    path: Path,
    columns: int = COLUMNS,
    photographs: Mapping[str, NDArray[np.uint8]] | None = None,
) -> None:
    """Write the first `columns` images of every class as one picture, photographs next to them if there are any."""
    rows = {code: generated.of(code)[:columns] for code in generated.codes}
    buffer = io.BytesIO()
    labelled_sheet(rows, photographs).save(buffer, "PNG", optimize=True)
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_kept(path, buffer.getvalue())


def _samples(request: SheetRequest, tell: Callable[[Event], None]) -> Generated:
    if request.samples is not None:
        return read_generated(request.samples, request.columns)
    kept = tempfile.TemporaryDirectory() if request.folder is None else nullcontext(str(request.folder))
    draw = recommended(request.models, **request.drawing)
    with kept as folder:
        for event in fill_folder(request.models, Path(folder), request.columns, draw):
            tell(event)
        return read_generated(Path(folder), request.columns)


def _photographs(request: SheetRequest, data: Path, generated: Generated) -> dict[str, NDArray[np.uint8]]:
    """Return photographs of held-out lesions, one of each lesion, in the order of their ids."""
    images = [image for image in read_dataset(data).images if image.code in generated.codes]
    held_out = split_images(images, settings_of(read_training(request.models))).test
    first = list({image.lesion_id: image for image in reversed(held_out)}.values())[::-1]
    rows = {code: [image for image in first if image.code == code][: request.columns] for code in generated.codes}
    return {code: load_pixels(row, generated.size).array for code, row in rows.items() if row}
