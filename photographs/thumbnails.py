"""A sheet with a few photographs of each class, to see at a glance whether labels and pictures fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from photographs.pixels import read_square

OF_EACH: Final = 6
TILE: Final = 96

_GAP: Final = 4
_LABEL: Final = 64


def class_sheet(photographs: Mapping[str, Sequence[Path]]) -> Image.Image:
    """Return a sheet with a row for each class: its code, and photographs evenly spread over those that there are.

    Parameters
    ----------
    photographs
        Readable files by class, in the order of the rows.
    """
    width = _LABEL + OF_EACH * (TILE + _GAP)
    sheet = Image.new("RGB", (width, max(1, len(photographs)) * (TILE + _GAP)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (code, files) in enumerate(photographs.items()):
        top = row * (TILE + _GAP)
        draw.text((4, top + TILE // 2 - 6), code, fill="black")
        for column, path in enumerate(_spread(files)):
            tile = Image.fromarray(read_square(path, TILE))
            sheet.paste(tile, (_LABEL + column * (TILE + _GAP), top))
    return sheet


def _spread(files: Sequence[Path]) -> list[Path]:
    step = max(1.0, len(files) / OF_EACH)
    return [files[int(index * step)] for index in range(min(OF_EACH, len(files)))]
