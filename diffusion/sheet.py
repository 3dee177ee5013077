"""Sheets of samples: one row a class, labelled, nothing picked out; beside real photographs on request.

One row a class, from samples that are drawn for it or from those there are, written as a PNG file.
"""

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
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from core.events import Event
from core.files.atomic import output_errors
from core.keeping import replace_kept
from core.taxonomy import CLASS_CODES
from diffusion.data import split_images
from diffusion.generated import Generated, fill_folder, read_generated, recommended
from diffusion.pack import read_training, settings_of
from photographs.pixels import load_pixels
from photographs.sources import read_dataset

Images = NDArray[np.uint8] | Tensor
"""uint8 (n, 3, S, S)."""

GENERATED: Final = "generated"
REAL: Final = "real photographs, held-out lesions"

_GAP: Final = 4
_BLOCK_GAP: Final = 24
_PAPER: Final = "white"
_INK: Final = "black"
_WIDEST_TILE: Final = 128


def labelled_sheet(rows: Mapping[str, Images], real: Mapping[str, Images] | None = None) -> Image.Image:
    """Draw one row of images for each class code, in canonical order, with the code at its left.

    Parameters
    ----------
    rows
        Images by class code; a row with fewer images than the longest ends in white.
    real
        Photographs to put to the right of them, under a title that tells the two apart.
    """
    codes = [code for code in CLASS_CODES if code in rows]
    tile = int(rows[codes[0]].shape[-1])
    blocks = [_block([np.asarray(rows[code]) for code in codes], tile)]
    if real is not None:
        blocks.append(_block([np.asarray(real.get(code, ())) for code in codes], tile))
    font = ImageFont.load_default(max(8, min(tile, _WIDEST_TILE) // 4))
    labels = _labels(codes, tile, font)
    sheet = _beside([labels, *blocks])
    return sheet if real is None else _titled(sheet, labels.width + _BLOCK_GAP, blocks[0].width, font)


def _block(rows: list[NDArray[np.uint8]], tile: int) -> Image.Image:
    """Draw rows of images as squares of `tile` pixels, gaps between them, no words."""
    columns = max(1, *map(len, rows))
    pitch = tile + _GAP
    block = Image.new("RGB", (columns * pitch - _GAP, len(rows) * pitch - _GAP), _PAPER)
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            block.paste(_picture(image, tile), (column * pitch, row * pitch))
    return block


def _picture(image: NDArray[np.uint8], side: int) -> Image.Image:
    picture = Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0)))
    return picture if picture.width == side else picture.resize((side, side), Image.Resampling.BILINEAR)


def _labels(codes: list[str], tile: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> Image.Image:
    """Draw the codes below each other, each at the middle of its row and flush right."""
    width = max(int(font.getlength(code)) for code in codes) + _GAP
    labels = Image.new("RGB", (width, len(codes) * (tile + _GAP) - _GAP), _PAPER)
    pen = ImageDraw.Draw(labels)
    for row, code in enumerate(codes):
        pen.text((width, row * (tile + _GAP) + tile / 2), code, fill=_INK, font=font, anchor="rm")
    return labels


def _beside(pictures: list[Image.Image]) -> Image.Image:
    width = sum(picture.width for picture in pictures) + _BLOCK_GAP * (len(pictures) - 1)
    sheet = Image.new("RGB", (width, pictures[0].height), _PAPER)
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width + _BLOCK_GAP
    return sheet


def _titled(
    sheet: Image.Image, left: int, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> Image.Image:
    """Put a line above the sheet that names its two blocks, the first of which begins at `left`."""
    height = sum(font.getbbox(GENERATED + REAL)[1::2]) + 2 * _GAP
    titled = Image.new("RGB", (sheet.width, int(height) + sheet.height), _PAPER)
    titled.paste(sheet, (0, int(height)))
    pen = ImageDraw.Draw(titled)
    for start, words in ((left, GENERATED), (left + width + _BLOCK_GAP, REAL)):
        pen.text((start, height / 2), words, fill=_INK, font=font, anchor="lm")
    return titled


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
