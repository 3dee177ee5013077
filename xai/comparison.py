"""All maps on one sheet: a row for each picture and class, a column for each method, one scale for each unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.files.text import plain
from core.utils.palette import HAIRLINE, MUTED, PANEL, TEXT
from xai.explanation import Explanation, Style
from xai.methods import METHODS
from xai.overlay import OPACITY, colour_ramp, render_marked, shared_scales

MAX_ROWS: Final = 40
MAX_COMPARED: Final = 240
_COLUMNS: Final = 6
_TILE: Final = 256
_GAP: Final = 10
_LABEL: Final = 24
_BAR: Final = 34
_BAR_WIDTH: Final = 240
BAR_GROUND: Final = 176
"""Grey behind a colour bar, as between light skin and a dark lesion."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The sheet, and what it shows.

    Attributes
    ----------
    scales
        Unit to the value at which its colours saturate.
    left_out
        Maps that found no room on the sheet.
    """

    sheet: Image.Image
    scales: Mapping[str, float]
    left_out: int


Question = tuple[Path | bytes, str, str]
"""What several methods may have been asked alike: picture, target and baseline."""


@dataclass(frozen=True, slots=True)
class _Tile:
    label: str
    picture: Image.Image


def compare(
    explanations: Sequence[Explanation], style: Style = "signed", *, total: int | None = None
) -> Comparison | None:
    """Return all maps on one sheet; None for a single map, or if none of them may be drawn.

    Maps of one unit share one scale, so that a pale map is a weak one; maps of different units cannot be compared.

    Parameters
    ----------
    total
        How many maps there are, if `explanations` are only the first of them.
    """
    scales = shared_scales(explanations)
    if len(explanations) < 2 or not scales:
        return None
    rows = _rows(explanations)[:MAX_ROWS]
    tiles = [_tiles(row, scales, style) for row in rows]
    left_out = (total or len(explanations)) - sum(map(len, rows))
    return Comparison(_draw(tiles, _bars(explanations, scales), style), scales, left_out)


def question_of(explanation: Explanation) -> Question:
    """Return what the map is an answer to, whatever its method."""
    return explanation.source or explanation.image.tobytes(), explanation.target, explanation.baseline


def reduced(explanation: Explanation) -> Explanation:
    """Return a copy with a picture no larger than needed here, its map averaged over the pixels that become one."""
    step = max(explanation.image.shape[:2]) // _TILE
    if step < 2:
        return explanation
    image = _averaged(explanation.image, step).round().astype(np.uint8)
    attribution = _averaged(explanation.attribution, step).astype(np.float32)
    return replace(explanation, image=image, attribution=attribution, standard_error=None, segments=None)


def _averaged(array: NDArray[Any], step: int) -> NDArray[np.float64]:
    """Return the means of blocks of `step` x `step` pixels; those at the edge may be smaller."""
    starts = [np.arange(0, side, step) for side in array.shape[:2]]
    sums = np.add.reduceat(np.add.reduceat(array.astype(np.float64), starts[0], axis=0), starts[1], axis=1)
    counts = [np.diff(np.append(start, side)) for start, side in zip(starts, array.shape[:2], strict=True)]
    means: NDArray[np.float64] = sums / (counts[0][:, None] * counts[1])[..., None]
    return means


def _rows(explanations: Sequence[Explanation]) -> list[list[Explanation]]:
    if len({e.method for e in explanations}) == 1:
        return [list(explanations[i : i + _COLUMNS]) for i in range(0, len(explanations), _COLUMNS)]
    rows: dict[Question, list[Explanation]] = {}
    for explanation in explanations:
        rows.setdefault(question_of(explanation), []).append(explanation)
    return list(rows.values())


def _tiles(row: Sequence[Explanation], scales: Mapping[str, float], style: Style) -> list[_Tile]:
    maps = [render_marked(e, scale=scales.get(METHODS[e.method].unit), style=style) for e in row]
    if len({e.method for e in row}) == 1:
        return [_Tile(_name(e), picture) for e, picture in zip(row, maps, strict=True)]
    first = _Tile(_name(row[0]), Image.fromarray(row[0].image))
    return [first, *(_Tile(METHODS[e.method].title, picture) for e, picture in zip(row, maps, strict=True))]


def _name(explanation: Explanation) -> str:
    file = "image" if explanation.source is None else plain(explanation.source.name)
    return f"{explanation.target} \u00b7 {file}"


def _bars(explanations: Iterable[Explanation], scales: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return, for each unit, what its colour bar is called, and its scale."""
    methods = dict.fromkeys(e.method for e in explanations)
    return [
        (f"{unit}: {', '.join(METHODS[m].title for m in methods if METHODS[m].unit == unit)}", scale)
        for unit, scale in scales.items()
    ]


def _draw(rows: Sequence[Sequence[_Tile]], bars: Sequence[tuple[str, float]], style: Style) -> Image.Image:
    columns, pitch = max(max(len(row) for row in rows), 3), _TILE + _GAP
    height = _GAP + len(rows) * (_LABEL + pitch)
    sheet = Image.new("RGB", (_GAP + columns * pitch, height + len(bars) * _BAR + _GAP), PANEL)
    font = _font(13)
    for y, row in enumerate(rows):
        for x, tile in enumerate(row):
            _draw_tile(sheet, (_GAP + x * pitch, _GAP + y * (_LABEL + pitch)), tile, font)
    for number, (words, scale) in enumerate(bars):
        _draw_bar(sheet, height + number * _BAR, words, scale, style)
    return sheet


def _draw_tile(sheet: Image.Image, place: tuple[int, int], tile: _Tile, font: ImageFont.FreeTypeFont) -> None:
    left, top = place
    text = "".join(letter if letter.isprintable() else " " for letter in tile.label)
    while font.getlength(text) > _TILE and len(text) > 2:
        text = f"{text[:-2]}\u2026"
    ImageDraw.Draw(sheet).text((left, top + _LABEL / 2), text, TEXT, font, "lm")
    picture = tile.picture.convert("RGB")
    factor = _TILE / max(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    way = Image.Resampling.LANCZOS if factor < 1 else Image.Resampling.NEAREST
    sheet.paste(picture.resize(size, way), (left, top + _LABEL))


def _draw_bar(sheet: Image.Image, top: int, words: str, scale: float, style: Style) -> None:
    ramp = colour_ramp(style, _BAR_WIDTH, BAR_GROUND, OPACITY)
    strip = Image.fromarray(np.repeat(ramp[None], 14, axis=0))
    draw, font, middle = ImageDraw.Draw(sheet), _font(13), top + _BAR / 2
    low = f"\u2212{scale:.2g}" if style == "signed" else "0"
    left = _GAP + 76
    draw.text((left - 6, middle), low, MUTED, font, "rm")
    sheet.paste(strip, (left, round(middle) - 7))
    draw.rectangle((left, round(middle) - 7, left + _BAR_WIDTH - 1, round(middle) + 6), outline=HAIRLINE)
    draw.text((left + _BAR_WIDTH + 6, middle), f"+{scale:.2g}   {words}", MUTED, font, "lm")


def _font(size: int) -> ImageFont.FreeTypeFont:
    """Return matplotlib's own font: unlike Pillow's it has Cyrillic letters, which file names may have."""
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)
