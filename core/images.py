"""Reading any picture that somebody may have made: carefully, and by the decoders of known formats alone.

Values of any range become 8 bits. Cameras keep 10, 12 or 14 bits in words of 16, scripts write floats from 0 to 1 or
from 0 to 255. The range is the smallest usual one that holds the largest value; where that is a guess between unlike
pictures, the file is refused.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import InputRefusedError
from core.files.opening import MAX_PIXELS, NotRegularFileError, open_regular
from core.message import Message
from core.tiff import NotReadError, is_tiff, read_tiff

_DEPTHS: Final = (8, 10, 12, 14, 16)


class UnknownRangeError(ValueError):
    """Values whose range is unknown; the text says why, as part of a sentence."""


def to_bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return values as 0..255, of the same shape.

    Parameters
    ----------
    values
        Booleans, whole numbers or floats of one picture.

    Raises
    ------
    UnknownRangeError
        If there are negative, infinite or missing values, or larger ones than any usual range has.
    """
    if values.dtype == np.uint8:
        return np.asarray(values, np.uint8)
    if values.dtype == np.bool_:
        return np.asarray(np.where(values, 255, 0), np.uint8)
    white = _white(values)
    scaled = values.astype(np.float64) * (255 / white)
    return np.asarray(np.floor(scaled + 0.5).clip(0, 255), np.uint8)


def _white(values: NDArray[Any]) -> float:
    """Return the value that is white."""
    if not (np.issubdtype(values.dtype, np.integer) or np.issubdtype(values.dtype, np.floating)):
        raise UnknownRangeError(Message("values of the kind {kind}", kind=values.dtype))
    if not np.isfinite(values).all():
        raise UnknownRangeError(Message("values that are infinite or missing"))
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if low < 0:
        raise UnknownRangeError(Message("negative values (down to {low:g})", low=low))
    if np.issubdtype(values.dtype, np.floating) and high <= 1:
        return 1.0
    full = float(np.iinfo(values.dtype).max) if np.issubdtype(values.dtype, np.integer) else 0.0
    if high <= 2 ** _DEPTHS[-1] - 1:
        return next(float(2**bits - 1) for bits in _DEPTHS if high <= 2**bits - 1)
    if high <= full / 2 or not full:
        raise UnknownRangeError(Message("values up to {high:g}, of no usual range", high=high))
    return full


_AS_THEY_ARE: Final = frozenset({"1", "L", "I", "F", "RGB"})
"""Pillow's modes that are taken as they are; others become RGB."""

_LEAST_HIGH_BYTE: Final = 16
"""A colour picture of 16 bits whose largest high byte is below has fewer bits in it than its file says."""

FORMATS: Final = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")

# What Pillow's decoders raise on damaged or hostile files (found by mutating files, see the tests).
_DECODING_ERRORS: Final = (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, OverflowError)
_DECODING_ERRORS_2: Final = (
    struct.error, zlib.error, Image.DecompressionBombError, Image.DecompressionBombWarning, RecursionError, MemoryError,
)  # fmt: skip


@contextmanager
def open_picture(path: Path, formats: tuple[str, ...] = FORMATS) -> Iterator[Image.Image]:
    """Open a picture, as a context manager; the one place where the program opens a picture that somebody gives it.

    Only regular files are opened, and only by the decoders of `formats`: no other program is ever started, as Pillow
    does for PostScript. What goes wrong inside the block while pixels are decoded is told like what goes wrong here.

    Raises
    ------
    InputRefusedError
        If the file is missing, special, damaged, a decompression bomb or of another kind.
    """
    with _refusing(path), open_regular(path) as stream, Image.open(stream, formats=formats) as image:
        yield image


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A picture as it is stored, upright.

    Attributes
    ----------
    values
        (H, W) or (H, W, 3); uint8 or bool in most files, whole numbers or floats in others. Colours of a palette are
        RGB.
    alpha
        Opacity (H, W), uint8; None where the file has none.
    white_is_zero
        Whether small values are bright.
    """

    values: NDArray[Any]
    alpha: NDArray[np.uint8] | None = None
    white_is_zero: bool = False


def read_image(path: Path) -> NDArray[np.uint8]:
    """Return a picture as RGB, uint8, shape (H, W, 3), turned upright as its EXIF orientation asks.

    PNG, JPEG, BMP, TIFF and WebP of up to 50 megapixels are read; transparency is dropped. Values of more than 8 bits
    and floats are brought to 0..255 by `core.images.to_bytes`.

    Raises
    ------
    InputRefusedError
        If the file is missing, damaged, too large or of another kind, or its brightness is unknown.
    """
    stored = read_stored(path)
    try:
        values = to_bytes(stored.values)
    except UnknownRangeError as error:
        raise _not_read(path, str(error)) from error
    shown = 255 - values if stored.white_is_zero else values
    return np.ascontiguousarray(shown if shown.ndim == 3 else np.repeat(shown[..., None], 3, axis=2))


def read_stored(path: Path) -> Stored:
    """Return a picture's values as they are stored; for masks and labels, whose numbers mean something.

    Raises
    ------
    InputRefusedError
        As `read_image`.
    """
    with _refusing(path), open_regular(path) as stream:
        start = stream.read(4)
        stream.seek(0)
        if is_tiff(start):
            return _read_tiff(path, stream)
        with Image.open(stream, formats=FORMATS) as image:
            return _stored(path, image)


def _read_tiff(path: Path, stream: BinaryIO) -> Stored:
    found = read_tiff(stream, MAX_PIXELS)
    _refuse_too_large(path, found.width, found.height)
    if found.values is not None:
        return Stored(_upright(found.values, found.orientation), None, found.white_is_zero)
    stream.seek(0)
    try:
        with Image.open(stream, formats=("TIFF",)) as image:
            image.seek(found.page)
            stored = _stored(path, image)
    except UnidentifiedImageError as error:
        raise NotReadError(found.problem or "TIFF") from error
    coarse = not found.plain and stored.values.dtype == np.uint8  # Pillow has kept the high bytes
    if coarse and int(stored.values.max(initial=0)) < _LEAST_HIGH_BYTE:
        raise NotReadError(found.problem)
    return stored


def _stored(path: Path, image: Image.Image) -> Stored:
    _refuse_too_large(path, image.width, image.height)
    coarse = any("16" in str(tile[3]) for tile in getattr(image, "tile", ())) and not image.mode.startswith("I")
    upright = ImageOps.exif_transpose(image)
    alpha = np.asarray(upright.convert("RGBA").getchannel("A")) if upright.has_transparency_data else None
    if upright.mode in _AS_THEY_ARE or upright.mode.startswith("I;16"):
        values = np.array(upright)
    else:
        values = np.array(upright.convert("RGB"))
    if coarse and int(values.max(initial=0)) < _LEAST_HIGH_BYTE:
        raise NotReadError(Message("less than 12 bits in 16 of each colour"))
    return Stored(values, alpha)


def _upright(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn an array as EXIF's orientation asks."""
    turned = np.swapaxes(values, 0, 1) if orientation >= 5 else values
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    return turned[:, ::-1] if orientation in (2, 3, 6, 7) else turned


def _refuse_too_large(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise InputRefusedError(
            Message(
                "'{path}' has {width} x {height} pixels; at most 50 megapixels are read.",
                path=path,
                width=width,
                height=height,
            ),
            remedy=Message("Scale the image down first."),
            path=path,
        )


def check_intact(path: Path) -> None:
    """Check the checksum of every chunk of a PNG, and that its last one is there; other pictures are not looked at.

    `read_image` shows what can be shown of a picture that lacks its last bytes or has a changed one; whoever passes
    pictures on wants them whole.

    Raises
    ------
    InputRefusedError
        If a PNG is damaged or cut off.
    """
    with open_picture(path) as image:
        if image.format == "PNG":
            image.verify()


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except FileNotFoundError as error:
        raise InputRefusedError(
            Message("There is no file '{path}'.", path=path), remedy=Message("Check the path."), path=path
        ) from error
    except NotRegularFileError as error:
        raise _no_file(path, error.kind) from error
    except UnidentifiedImageError as error:
        raise InputRefusedError(
            Message("'{path}' is not an image file of a supported format, or is empty.", path=path),
            remedy=Message("Name a PNG, JPEG, BMP, TIFF or WebP file."),
            path=path,
        ) from error
    except NotReadError as error:
        raise _not_read(path, str(error)) from error
    except (*_DECODING_ERRORS, *_DECODING_ERRORS_2) as error:
        raise InputRefusedError(
            Message("'{path}' cannot be read as an image: {error}.", path=path, error=str(error).rstrip(".")),
            remedy=Message("Open it in an image viewer to check it, and save it as PNG or JPEG."),
            path=path,
        ) from error


def _not_read(path: Path, what: str) -> InputRefusedError:
    return InputRefusedError(
        Message("'{path}' holds {what}: that is not read.", path=path, what=what),
        remedy=Message("Save it as a PNG or TIFF of 8 bits for each colour."),
        path=path,
    )


def _no_file(path: Path, kind: str) -> InputRefusedError:
    if kind == "a folder":
        return InputRefusedError(
            Message("'{path}' is a folder.", path=path), remedy=Message("Name one image in it."), path=path
        )
    return InputRefusedError(
        Message("'{path}' is {kind}, not an image.", path=path, kind=kind),
        remedy=Message("Name an image file."),
        path=path,
    )
