"""TIFF files of every kind that microscopes, cameras and scripts write: which picture in them, and its plain values.

Pillow opens 8-bit pictures; what it would show black, white or in wrong colours (floats, 32 bits, planes of 16 bits) is
read by tifffile. Of several pictures the largest is meant, as thumbnails stand next to it; several of that size are
refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from core.message import Message

if TYPE_CHECKING:
    from tifffile import TiffPage

MAGIC: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MAX_PAGES: Final = 10_000

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_PLAIN: Final = frozenset({_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, 3, 5, 6})
"""Photometric interpretations that Pillow converts to RGB: grey, RGB, palette, CMYK and YCbCr."""

_REDUCED_OR_MASK: Final = 0b101
_SEPARATE: Final = 2
_UNSIGNED: Final = 1


class NotReadError(ValueError):
    """A kind of TIFF that is not read; the text says which, as part of a sentence."""


@dataclass(frozen=True, slots=True)
class TiffPicture:
    """The picture of a file that is meant.

    Attributes
    ----------
    page
        Its number in the file, from 0.
    width, height
        In pixels.
    plain
        Whether Pillow reads it right.
    values
        Otherwise its values as stored, (H, W) or (H, W, 3), without transparency; None if it is plain, or cannot be
        decoded here (see `problem`).
    problem
        Why the values are not there, "" if they are or need not be.
    white_is_zero
        Whether small values are bright.
    orientation
        As in EXIF, 1 to 8.
    """

    page: int
    width: int
    height: int
    plain: bool
    values: NDArray[Any] | None = None
    problem: str = ""
    white_is_zero: bool = False
    orientation: int = 1


def is_tiff(start: bytes) -> bool:
    """Whether a file that begins so is a TIFF."""
    return start.startswith(MAGIC)


def read_tiff(stream: BinaryIO, max_pixels: int) -> TiffPicture:
    """Look into a TIFF file, and decode what only tifffile reads right.

    Parameters
    ----------
    max_pixels
        Values of larger pictures are not decoded.

    Raises
    ------
    NotReadError
        If it holds several pictures of the same size, or one of a kind that is not read.
    ValueError
        If it is damaged.
    """
    import tifffile

    try:
        with tifffile.TiffFile(tifffile.FileHandle(stream, name="picture.tif")) as file:
            number, page = _meant(file.pages)
            return _picture(number, page, max_pixels)
    except NotReadError:
        raise
    except (tifffile.TiffFileError, ArithmeticError, AttributeError, AssertionError, RuntimeError) as error:
        raise ValueError(str(error) or type(error).__name__) from error


def _meant(pages: Any) -> tuple[int, TiffPage]:
    found: list[tuple[int, TiffPage]] = []
    for number in range(MAX_PAGES):
        try:
            page = pages[number]
        except IndexError:
            break
        if not int(page.subfiletype) & _REDUCED_OR_MASK:
            found.append((number, page))
    if not found:
        raise NotReadError(Message("no picture"))
    largest = max(_size(page) for _, page in found)
    same = [one for one in found if _size(one[1]) == largest]
    if len(same) > 1:
        raise NotReadError(
            Message("{count} images of the same size, and it is not clear which is meant", count=len(same))
        )
    return same[0]


def _size(page: TiffPage) -> int:
    return int(page.imagewidth) * int(page.imagelength)


def _picture(number: int, page: TiffPage, max_pixels: int) -> TiffPicture:
    width, height, kind = int(page.imagewidth), int(page.imagelength), int(page.photometric)
    bits = _all(page.bitspersample)
    if max(bits) <= 8 and _is_unsigned(page) and kind in _PLAIN:
        return TiffPicture(number, width, height, plain=True)
    if kind not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB):
        name = getattr(page.photometric, "name", kind)
        raise NotReadError(Message("{kind} with {bits} bits", kind=name, bits=max(bits)))
    values, problem = (None, "") if width * height > max_pixels else _values(page, kind)
    orientation = page.tags.get("Orientation")
    turned = int(orientation.value) if orientation is not None and orientation.value in range(1, 9) else 1
    return TiffPicture(number, width, height, False, values, problem, kind == _WHITE_IS_ZERO, turned)


def _values(page: TiffPage, kind: int) -> tuple[NDArray[Any] | None, str]:
    try:
        array = page.asarray()
    except (ValueError, TypeError) as error:  # a compression that needs another library
        return None, str(error)
    height, width, samples = int(page.imagelength), int(page.imagewidth), int(page.samplesperpixel)
    if samples > 1 and int(page.planarconfig) == _SEPARATE:
        array = np.moveaxis(array, 0, -1)
    if samples == 1:
        array = array.reshape(height, width)
    elif array.ndim == 3:
        array = array[..., :3] if kind == _RGB else array[..., 0]
    if array.shape not in ((height, width), (height, width, 3)):
        raise ValueError(f"an array of shape {array.shape}")
    return array, ""


def _is_unsigned(page: TiffPage) -> bool:
    return set(_all(page.sampleformat)) == {_UNSIGNED}


def _all(value: Any) -> Sequence[int]:
    return [int(one) for one in value] if isinstance(value, (tuple, list)) else [int(value)]
