"""The mark of the reliability check on an image: a shape, words and a colour, so that none has to suffice alone."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.utils.palette import HAIRLINE, PANEL, TEXT
from xai.colour import grey
from xai.explanation import GateLevel

_OVERSAMPLING: Final = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """How a level of the reliability check is shown."""

    word: str
    colour: str
    sides: int
    """0 for a circle, else a regular polygon."""
    sign: str


MARKS: Final[dict[GateLevel, Mark]] = {
    "green": Mark("CHECKS PASSED", "#1a7f37", 0, "tick"),
    "amber": Mark("CAUTION", "#9a6700", 3, "bang"),
    "red": Mark("CHECKS FAILED", "#c0262d", 8, "cross"),
}

_STROKES: Final[dict[str, tuple[tuple[tuple[float, float], ...], ...]]] = {
    "tick": (((0.27, 0.52), (0.44, 0.68), (0.74, 0.35)),),
    "bang": (((0.5, 0.36), (0.5, 0.62)), ((0.5, 0.745), (0.5, 0.765))),
    "cross": (((0.33, 0.33), (0.67, 0.67)), ((0.67, 0.33), (0.33, 0.67))),
}


def draw_icon(level: GateLevel, side: int) -> Image.Image:
    """Return the level's icon: tick in a circle, exclamation mark in a triangle, or cross in an octagon; RGBA."""
    mark, big = MARKS[level], side * _OVERSAMPLING
    icon = Image.new("RGBA", (big, big), (0, 0, 0, 0))
    draw = ImageDraw.Draw(icon)
    if mark.sides == 0:
        draw.ellipse((0, 0, big - 1, big - 1), fill=mark.colour)
    elif mark.sides == 3:
        draw.polygon([(big * 0.5, big * 0.03), (big * 0.99, big * 0.92), (big * 0.01, big * 0.92)], fill=mark.colour)
    else:
        draw.regular_polygon((big / 2, big / 2, big / 2 - 1), mark.sides, rotation=22.5, fill=mark.colour)
    for stroke in _STROKES[mark.sign]:
        draw.line([(x * big, y * big) for x, y in stroke], fill="white", width=round(big * 0.11), joint="curve")
    return icon.resize((side, side), Image.Resampling.LANCZOS)


def stamp(picture: Image.Image, level: GateLevel) -> Image.Image:
    """Return a copy with the level's icon and word on a small plate in the lower left corner."""
    height = max(14, round(min(picture.size) * 0.055))
    font, gap = load_font(round(height * 0.62)), max(2, height // 5)
    icon = draw_icon(level, height - 2 * gap + 2)
    width = icon.width + round(font.getlength(MARKS[level].word)) + 4 * gap
    marked = picture.convert("RGB")
    left, top = gap, marked.height - height - gap
    draw = ImageDraw.Draw(marked)
    draw.rounded_rectangle((left, top, left + width, top + height), height // 4, fill=PANEL, outline=HAIRLINE)
    marked.paste(icon, (left + gap, top + gap), icon)
    place = (left + icon.width + 2 * gap, top + height / 2)
    draw.text(place, MARKS[level].word, TEXT, font, "lm")
    return marked


def say_instead(picture: NDArray[np.uint8], level: GateLevel, title: str, words: str) -> Image.Image:
    """Return the picture grey and hatched, with words across it, to show in place of a map that is withheld."""
    canvas = _hatched(picture)
    width, height = canvas.size
    size = max(9, round(min(width, height) * 0.038))
    lines = textwrap.wrap(words, max(8, int(width * 0.8 / (size * 0.5))))[:4]
    line, icon = round(size * 1.4), draw_icon(level, round(size * 1.9))
    title_font = load_font(round(size * 1.5))
    box = round(size * 2.9) + line * len(lines) + size
    top = max(0, (height - box) // 2)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, top, width, top + box), fill=PANEL, outline=MARKS[level].colour)
    start = max(0, round((width - icon.width - size * 0.5 - title_font.getlength(title)) / 2))
    canvas.paste(icon, (start, top + round(size * 0.6)), icon)
    place = (start + icon.width + size * 0.5, top + size * 0.6 + icon.height / 2)
    draw.text(place, title, MARKS[level].colour, title_font, "lm", stroke_width=size / 40)
    for number, text in enumerate(lines):
        draw.text((width / 2, top + size * 2.9 + line * (number + 0.5)), text, TEXT, load_font(size), "mm")
    return canvas


def load_font(size: int) -> ImageFont.FreeTypeFont:
    """Return the font that comes with Pillow, in pixels."""
    font = ImageFont.load_default(max(6, size))
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType")
    return font


def _hatched(picture: NDArray[np.uint8]) -> Image.Image:
    pale = Image.blend(Image.fromarray(grey(picture)), Image.new("RGB", picture.shape[1::-1], PANEL), 0.45)
    width, height = pale.size
    draw = ImageDraw.Draw(pale)
    pitch = max(6, min(width, height) // 24)
    for offset in range(-height, width, pitch):
        draw.line((offset, height, offset + height, 0), fill="#919191", width=max(1, pitch // 10))
    return pale
