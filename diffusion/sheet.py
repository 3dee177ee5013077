"""Sheets of samples: one row a class, labelled, nothing picked out; beside real photographs on request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from core.taxonomy import CLASS_CODES

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
