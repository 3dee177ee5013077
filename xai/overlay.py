"""Arrays to pictures: one signed scale for each unit, symmetric about 0, no map where there is nothing to show.

Signed values are colour over a picture: even steps in OKLab (Ottosson 2020, https://bottosson.github.io/posts/oklab/)
towards blue or red, so that neither sign looks stronger. The two ends have the same lightness and chroma and differ in
a way that all common kinds of colour blindness keep (blue against orange-red).

The mark of the reliability check on an image is a shape, words and a colour, so that none has to suffice alone.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.message import Message
from core.utils.palette import HAIRLINE, PANEL, TEXT
from xai.explanation import Explanation, GateLevel, Style
from xai.methods import METHODS

Floats = NDArray[np.float64]

_RGB_TO_LMS: Final = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LMS_TO_LAB: Final = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_LIGHTNESS: Final = 0.57
_CHROMA: Final = 0.19


def _end(hue_degrees: float) -> Floats:
    hue = np.deg2rad(hue_degrees)
    return np.array([_LIGHTNESS, _CHROMA * np.cos(hue), _CHROMA * np.sin(hue)])


POSITIVE: Final = _end(28.0)
NEGATIVE: Final = _end(258.0)


def blend_signed(base: NDArray[np.uint8], strength: Floats, opacity: float) -> NDArray[np.uint8]:
    """Tint a picture: red where strength is positive, blue where it is negative, untouched where it is 0.

    Parameters
    ----------
    base
        uint8 RGB, shape (H, W, 3).
    strength
        Shape (H, W), clipped to -1..1; how far the colour moves in OKLab towards its end is proportional to it.
    opacity
        0 leaves the picture as it is; 1 takes all its own colour and lets +-1 reach the pure end colours.
    """
    if opacity <= 0:
        return base.copy()
    lab = to_oklab(base)
    lab[..., 1:] *= (1 - opacity) ** 2  # pink skin must not look like a red value
    amount = (np.clip(np.abs(strength), 0, 1) * opacity)[..., None]
    ends = np.where((strength > 0)[..., None], POSITIVE, NEGATIVE)
    return from_oklab(lab + (ends - lab) * amount)


def blend(base: NDArray[np.uint8], strength: Floats, opacity: float, style: Style) -> NDArray[np.uint8]:
    """Show a map over a picture in one of the `STYLES`.

    Parameters
    ----------
    base
        uint8 RGB, shape (H, W, 3).
    strength
        Shape (H, W), 1 where the colours saturate.
    opacity
        0 leaves the picture as it is.
    style
        `signed`: red supports, blue opposes. `positive`: only red. `jet`: positive values in the rainbow
        of older figures, over the whole picture; it is neither even to the eye nor safe for the colour-blind.
    """
    if style == "signed":
        return blend_signed(base, strength, opacity)
    positive = np.clip(strength, 0, 1)
    if style == "positive":
        return blend_signed(base, positive, opacity)
    return np.asarray(np.rint(base * (1 - opacity) + 255 * opacity * _jet(positive)), np.uint8)


def colour_ramp(style: Style, count: int, ground: int, opacity: float = 1.0) -> NDArray[np.uint8]:
    """Return the colours of a colour bar over a grey ground, uint8, shape (count, 3).

    From -scale to +scale for `signed`, from 0 to +scale for the other styles.
    """
    values = np.linspace(-1.0 if style == "signed" else 0.0, 1.0, count)
    return blend(np.full((count, 1, 3), ground, np.uint8), values[:, None], opacity, style)[:, 0]


def _jet(values: Floats) -> Floats:
    """Return the classic rainbow for values (...) in 0..1: blue, cyan, yellow, red; shape (..., 3)."""
    peaks = 4 * values[..., None] - np.array([3.0, 2.0, 1.0])
    return np.clip(1.5 - np.abs(peaks), 0, 1)


def grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture without colour, as RGB."""
    lab = to_oklab(picture)
    lab[..., 1:] = 0
    return from_oklab(lab)


def to_oklab(rgb: NDArray[np.uint8]) -> Floats:
    """Convert sRGB, uint8, shape (..., 3), to OKLab."""
    value = rgb / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    lab: Floats = np.cbrt(linear @ _RGB_TO_LMS.T) @ _LMS_TO_LAB.T
    return lab


def from_oklab(lab: Floats) -> NDArray[np.uint8]:
    """Convert OKLab, shape (..., 3), to sRGB uint8; colours outside sRGB are clipped."""
    lms = (lab @ np.linalg.inv(_LMS_TO_LAB).T) ** 3
    linear = np.clip(lms @ np.linalg.inv(_RGB_TO_LMS).T, 0, 1)
    value = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(value * 255), np.uint8)


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


Scalar = TypeVar("Scalar", bound=np.generic)

OPACITY: Final = 0.6
CLIP_PERCENTILE: Final = 99.5
SMOOTHING: Final = 0.01
"""Standard deviation of the blur of shown maps, as a fraction of the longer side. Raw arrays are never smoothed."""

SHOWN_SIDE: Final = 512
"""Small pictures are enlarged by whole factors to about this many pixels."""


def why_no_map(explanation: Explanation) -> tuple[str, str] | None:
    """Return a title and a sentence where no map may be drawn, or None where one may."""
    if not np.isfinite(explanation.attribution).all():
        return "NO ATTRIBUTION", Message("The attribution contains values that are not numbers.")
    if explanation.gate.level == "red":
        return "CHECKS FAILED", explanation.gate.reasons[0]
    if not explanation.attribution.any():
        return "NO ATTRIBUTION", Message("Every value of the attribution is 0: at this baseline no pixel matters.")
    if METHODS[explanation.method].of_difference and explanation.relative_delta is None:
        return "NOTHING TO EXPLAIN", Message("Image and baseline have nearly the same logit. Choose another baseline.")
    return None


def shown_map(explanation: Explanation) -> NDArray[np.float64]:
    """Return the map as it is drawn, in the method's unit: summed over the channels, then mildly smoothed; (H, W)."""
    total = explanation.attribution.sum(axis=2, dtype=np.float64)
    return _smooth(total, SMOOTHING * max(total.shape))


def shared_scale(explanations: Sequence[Explanation]) -> float:
    """Return the value at which the colours of all these maps, which must have one unit, saturate.

    It is the largest of the maps' 99.5th percentiles of the absolute value; 0 if none of them may be drawn.
    """
    drawn = [explanation for explanation in explanations if why_no_map(explanation) is None]
    return max((_scale(shown_map(explanation)) for explanation in drawn), default=0.0)


def shared_scales(explanations: Sequence[Explanation]) -> dict[str, float]:
    """Return the shared scale of each unit in which one of these maps may be drawn, in their order."""
    units = dict.fromkeys(METHODS[explanation.method].unit for explanation in explanations)
    scales = {unit: shared_scale([e for e in explanations if METHODS[e.method].unit == unit]) for unit in units}
    return {unit: scale for unit, scale in scales.items() if scale}


def render_overlay(
    explanation: Explanation, *, scale: float | None = None, opacity: float = OPACITY, style: Style = "signed"
) -> Image.Image:
    """Return the picture with the map over it, enlarged by a whole factor if it is small.

    Red supports the explained class, blue opposes it. Where no map may be drawn (red gate, zero or NaN map, nothing to
    explain) the picture is grey and hatched and says so.

    Parameters
    ----------
    scale
        Value at which the colours saturate, in the method's unit; the map's own `shared_scale` if None.
    opacity
        0 shows the picture alone; 1 the strongest colours.
    style
        See `xai.overlay.blend`.
    """
    factor = enlargement(explanation.image)
    picture = _enlarge(explanation.image, factor)
    reason = why_no_map(explanation)
    if reason is not None:
        return say_instead(picture, explanation.gate.level, *reason)
    scale = scale or shared_scale([explanation])
    return Image.fromarray(blend(picture, _enlarge(shown_map(explanation), factor) / scale, opacity, style))


def render_marked(explanation: Explanation, *, scale: float | None = None, style: Style = "signed") -> Image.Image:
    """Return the overlay with the gate's icon and word in a corner, as it is saved."""
    return stamp(render_overlay(explanation, scale=scale, style=style), explanation.gate.level)


def enlargement(image: NDArray[np.uint8]) -> int:
    """Return the whole factor by which a picture is shown."""
    return max(1, round(SHOWN_SIDE / max(image.shape[:2])))


def _enlarge(array: NDArray[Scalar], factor: int) -> NDArray[Scalar]:
    return array.repeat(factor, axis=0).repeat(factor, axis=1)


def _scale(values: NDArray[np.float64]) -> float:
    magnitude = np.abs(values)
    return float(np.percentile(magnitude, CLIP_PERCENTILE) or magnitude.max())


def _smooth(values: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-9)) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        padding = [(reach, reach) if a == axis else (0, 0) for a in (0, 1)]
        padded = np.pad(values, padding, mode="symmetric")
        windows = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis=axis)
        values = windows @ kernel
    return values
