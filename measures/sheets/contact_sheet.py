"""Contact sheets: images of an output folder in rows, with class and seed under each, unselected and in order."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

from core.errors import InputRefusedError, UsageError
from core.files.opening import MAX_SHEET_IMAGES
from core.images import read_image
from core.message import Message
from core.taxonomy import CLASS_INDEX
from core.utils.palette import HAIRLINE, MUTED, TEXT
from dataset.png import synthetic_mark
from dataset.reading import embedded_recipe
from dataset.recipe import read_sidecar

DEFAULT_TILE: Final = 128

_GAP: Final = 8
_LINE: Final = 15
_FONT_SIZE: Final = 11
_PAPER: Final = "#ffffff"
_SHAPE: Final = 4 / 3
"""Width to height of the sheet that is aimed at."""


def contact_sheet(
    images: Sequence[Path], *, tile: int = DEFAULT_TILE, tick: Callable[[int], bool] = lambda done: True
) -> bytes:
    """Return a PNG with the images in rows and two lines under each: class and number, and the seed.

    An image that cannot be read has its place and its name all the same.

    Parameters
    ----------
    tile
        Largest side of an image on the sheet, in pixels; smaller images are not enlarged.
    tick
        Called with the number of images done; False stops, and an empty sheet is returned.

    Raises
    ------
    UsageError
        If there are no images or more than 2,000.
    """
    if not 0 < len(images) <= MAX_SHEET_IMAGES:
        raise UsageError(
            Message(
                "A contact sheet holds 1 to {max_sheet_images} images, not {count}.",
                max_sheet_images=MAX_SHEET_IMAGES,
                count=len(images),
            ),
            remedy=Message("Choose the images in the gallery, or filter it, before exporting."),
        )
    cell = (tile + _GAP, tile + 2 * _LINE + _GAP)
    columns = columns_for(len(images), cell)
    rows = math.ceil(len(images) / columns)
    sheet = Image.new("RGB", (columns * cell[0] + _GAP, rows * cell[1] + _GAP), _PAPER)
    for place, path in enumerate(images):
        row, column = divmod(place, columns)
        _draw(sheet, (column * cell[0] + _GAP, row * cell[1] + _GAP), path, tile)
        if not tick(place + 1):
            return b""
    return _png(sheet)


def columns_for(count: int, cell: tuple[int, int]) -> int:
    """Return how many columns make a sheet of `count` cells that is a little wider than high."""
    return max(1, min(count, round(math.sqrt(count * _SHAPE * cell[1] / cell[0]))))


def caption_of(path: Path) -> tuple[str, str]:
    """Return the two lines under an image: class and number, and the seed if anything tells it."""
    recipe = embedded_recipe(path)
    seed = recipe.seed if recipe else read_sidecar(path).get("seed")
    code = recipe.class_code if recipe else path.parent.name
    name = path.stem.removeprefix("ISIC_").lstrip("0") or path.stem
    title = f"{code} {name}" if code in CLASS_INDEX else path.name
    return title, f"seed {seed}" if isinstance(seed, int) else "no seed known"


def _draw(sheet: Image.Image, corner: tuple[int, int], path: Path, tile: int) -> None:
    pen, (left, top) = ImageDraw.Draw(sheet), corner
    lines = _draw_picture(sheet, corner, path, tile)
    font = ImageFont.load_default(_FONT_SIZE)
    for number, (words, color) in enumerate(zip(lines, (TEXT, MUTED), strict=True)):
        place = (left + tile / 2, top + tile + _LINE * (number + 0.6))
        pen.text(place, _fitting(words, font, tile), fill=color, font=font, anchor="mm")


def _draw_picture(sheet: Image.Image, corner: tuple[int, int], path: Path, tile: int) -> tuple[str, str]:
    left, top = corner
    try:
        picture = Image.fromarray(read_image(path))
    except InputRefusedError:
        ImageDraw.Draw(sheet).rectangle((left, top, left + tile - 1, top + tile - 1), outline=HAIRLINE)
        return path.name, "cannot be read"
    if max(picture.size) > tile:
        picture = ImageOps.contain(picture, (tile, tile), Image.Resampling.LANCZOS)
    sheet.paste(picture, (left + (tile - picture.width) // 2, top + (tile - picture.height) // 2))
    return caption_of(path)


def _fitting(words: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    while words and font.getlength(words) > width:
        words = words[:-2] + "…" if len(words) > 2 else ""
    return words


def _png(sheet: Image.Image) -> bytes:
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", pnginfo=synthetic_mark())
    return buffer.getvalue()
