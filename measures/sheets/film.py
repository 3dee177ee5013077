"""The denoising of one image as an animation or as a strip of frames."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.errors import UsageError
from core.message import Message
from core.utils.palette import MUTED, TEXT
from dataset.png import synthetic_mark

FRAME_MS: Final = 90
LAST_FRAME_MS: Final = 1500
STRIP_FRAMES: Final = 10
SMALLEST_SIDE: Final = 128
"""Frames of smaller images are enlarged by a whole number, pixel for pixel."""

_GAP: Final = 4
_LINE: Final = 18
_FONT_SIZE: Final = 12
_PAPER: Final = "#ffffff"
_SYNTHETIC: Final = "Synthetic: made by a trained algorithm. Research only, not a diagnosis."


@dataclass(frozen=True, slots=True)
class FilmFrame:
    """One step of one image.

    Attributes
    ----------
    step
        1-based; the last is `steps`.
    noisy, predicted
        x_t and the predicted x0, uint8, shape (H, W, 3), equal shapes.
    """

    step: int
    steps: int
    noisy: NDArray[np.uint8]
    predicted: NDArray[np.uint8]


def animation(frames: Sequence[FilmFrame], title: str) -> bytes:
    """Return an endless GIF: x_t and predicted x0 side by side, the step under them, the last frame held.

    Each frame has its own 256 colours, chosen without dithering; use the strip for pixel values.

    Parameters
    ----------
    title
        Stands under every frame, before the step: class and seed, say.

    Raises
    ------
    UsageError
        If there are no frames.
    """
    _require(frames)
    pictures = [_animated(frame, title) for frame in frames]
    durations = [FRAME_MS] * (len(pictures) - 1) + [LAST_FRAME_MS]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        loop=0,
        comment=_SYNTHETIC.encode(),
    )
    return buffer.getvalue()


def strip(frames: Sequence[FilmFrame], title: str, *, most: int = STRIP_FRAMES) -> bytes:
    """Return a PNG: x_t above predicted x0 at up to `most` steps, evenly spread, the first and the last among them.

    Raises
    ------
    UsageError
        If there are no frames.
    """
    _require(frames)
    chosen = [frames[i] for i in spread(len(frames), most)]
    columns = [_column(frame) for frame in chosen]
    width, height = columns[0].size
    sheet = Image.new("RGB", (len(columns) * (width + _GAP) - _GAP, height + _LINE), _PAPER)
    for place, column in enumerate(columns):
        sheet.paste(column, (place * (width + _GAP), 0))
    _write(sheet, (0, height + _LINE / 2), f"{title} · x_t above, predicted x_0 below", TEXT, "lm")
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", pnginfo=synthetic_mark())
    return buffer.getvalue()


def spread(count: int, most: int) -> list[int]:
    """Return up to `most` of the indices 0..count-1, evenly spread, the first and the last among them."""
    return sorted({round(i) for i in np.linspace(0, count - 1, min(count, max(2, most)))})


def _require(frames: Sequence[FilmFrame]) -> None:
    if not frames:
        raise UsageError(Message("There are no denoising steps to export."), remedy=Message("Generate an image first."))


def _animated(frame: FilmFrame, title: str) -> Image.Image:
    left, right = _enlarged(frame.noisy), _enlarged(frame.predicted)
    picture = Image.new("RGB", (2 * left.width + _GAP, left.height + _LINE), _PAPER)
    picture.paste(left, (0, 0))
    picture.paste(right, (left.width + _GAP, 0))
    _write(picture, (0, left.height + _LINE / 2), title, TEXT, "lm")
    _write(picture, (picture.width, left.height + _LINE / 2), f"{frame.step}/{frame.steps}", MUTED, "rm")
    return picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _column(frame: FilmFrame) -> Image.Image:
    above, below = _enlarged(frame.noisy), _enlarged(frame.predicted)
    column = Image.new("RGB", (above.width, 2 * above.height + _GAP + _LINE), _PAPER)
    column.paste(above, (0, 0))
    column.paste(below, (0, above.height + _GAP))
    _write(column, (above.width / 2, column.height - _LINE / 2), f"{frame.step}/{frame.steps}", MUTED, "mm")
    return column


def _enlarged(pixels: NDArray[np.uint8]) -> Image.Image:
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    factor = -(-SMALLEST_SIDE // min(picture.size))
    return (
        picture
        if factor <= 1
        else picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    )


def _write(picture: Image.Image, place: tuple[float, float], words: str, color: str, anchor: str) -> None:
    ImageDraw.Draw(picture).text(place, words, fill=color, font=ImageFont.load_default(_FONT_SIZE), anchor=anchor)
