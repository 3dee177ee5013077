"""Reading any picture that somebody may have made: carefully, and by the decoders of known formats alone."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import InputRefusedError
from core.files.limits import MAX_PIXELS
from core.files.opening import NotRegularFileError, open_regular
from core.message import Message

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


def read_image(path: Path) -> NDArray[np.uint8]:
    """Return a picture as RGB, uint8, shape (H, W, 3), turned upright as its EXIF orientation asks.

    PNG, JPEG, BMP, TIFF and WebP of up to 50 megapixels are read; transparency is dropped, 16-bit grey keeps its high
    byte.

    Raises
    ------
    InputRefusedError
        If the file is missing, damaged, too large or of another kind.
    """
    with open_picture(path) as image:
        if image.width * image.height > MAX_PIXELS:
            raise InputRefusedError(
                Message(
                    "'{path}' has {width} x {height} pixels; at most 50 megapixels are read.",
                    path=path,
                    width=image.width,
                    height=image.height,
                ),
                remedy=Message("Scale the picture down first."),
                path=path,
            )
        upright = ImageOps.exif_transpose(image)
        return np.array(_eight_bit(upright).convert("RGB"), dtype=np.uint8)


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


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
    return image


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
            Message("'{path}' is no picture of a kind that is read, or holds nothing.", path=path),
            remedy=Message("Name a PNG, JPEG, BMP, TIFF or WebP file."),
            path=path,
        ) from error
    except (*_DECODING_ERRORS, *_DECODING_ERRORS_2) as error:
        raise InputRefusedError(
            Message("'{path}' cannot be read as a picture: {error}.", path=path, error=str(error).rstrip(".")),
            remedy=Message("Open it in an image viewer to check it, and save it as PNG or JPEG."),
            path=path,
        ) from error


def _no_file(path: Path, kind: str) -> InputRefusedError:
    if kind == "a folder":
        return InputRefusedError(
            Message("'{path}' is a folder.", path=path), remedy=Message("Name one image in it."), path=path
        )
    return InputRefusedError(
        Message("'{path}' is {kind}, not a picture.", path=path, kind=kind),
        remedy=Message("Name a file that holds a picture."),
        path=path,
    )
