"""Photographs into memory: the middle square, several files at once, and never black in place of an unreadable file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.errors import InputRefusedError
from core.images import read_image
from photographs.labelled import LabelledImage

MAX_UNREADABLE: Final = 0.05
"""Share of unreadable files above which a data set is refused."""

MAX_THREADS: Final = 16
NAMED: Final = 3
"""Number of files that a message names."""

_T = TypeVar("_T")
_Kind = TypeVar("_Kind", np.uint8, np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """Photographs in memory.

    Attributes
    ----------
    array
        uint8 RGB, shape (N, 3, S, S).
    images
        The N images in the same order: those asked for, less the unreadable ones.
    unreadable
        File and reason of each image that is left out.
    """

    array: npt.NDArray[np.uint8]
    images: tuple[LabelledImage, ...]
    unreadable: tuple[tuple[Path, str], ...]

    @property
    def warning(self) -> str:
        """One sentence that counts the unreadable files and names the first; "" if there is none."""
        if not self.unreadable:
            return ""
        total = len(self.images) + len(self.unreadable)
        return f"{len(self.unreadable)} of {total} photographs cannot be read and are left out: {_named(self)}."


def load_pixels(images: Sequence[LabelledImage], size: int, *, threads: int | None = None) -> Pixels:
    """Read photographs as squares of `size` pixels; see `read_square`.

    Parameters
    ----------
    images
        Read in this order; none is an empty array.
    size
        Side of the squares in pixels.
    threads
        Number of files read at once; as many as the machine has cores if None.

    Raises
    ------
    InputRefusedError
        If more than 5 % of the files cannot be read, or every file of a class.
    """
    array = np.empty((len(images), 3, size, size), dtype=np.uint8)

    def fill(index: int) -> str:
        try:
            array[index] = read_square(images[index].path, size).transpose(2, 0, 1)
        except InputRefusedError as error:
            return error.message
        return ""

    reasons = _in_threads(fill, range(len(images)), threads)
    kept = [index for index, reason in enumerate(reasons) if not reason]
    unreadable = tuple((image.path, reason) for image, reason in zip(images, reasons, strict=True) if reason)
    pixels = Pixels(array[kept] if unreadable else array, tuple(images[index] for index in kept), unreadable)
    _refuse_if_too_little_is_left(images, pixels)
    return pixels


def read_square(path: Path, size: int) -> npt.NDArray[np.uint8]:
    """Read the middle square of one picture, resized bilinearly with antialiasing, as (size, size, 3) uint8 RGB.

    The longer side is cropped, not squeezed: a lesion keeps its shape, and HAM10000's 600 x 450 photographs become the
    squares that the starter models know. Orientation, formats and the limit of 50 megapixels: see
    `core.images.read_image`.

    Raises
    ------
    InputRefusedError
        If the file is missing, damaged, too large or of another kind.
    """
    square = middle_square(read_image(path))
    return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BILINEAR))


def middle_square(picture: npt.NDArray[_Kind]) -> npt.NDArray[_Kind]:
    """Return the middle square of an (H, W, 3) picture or an (H, W) mask, its side the shorter one."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return np.ascontiguousarray(picture[top : top + side, left : left + side])


def content_digests(images: Sequence[LabelledImage], *, threads: int | None = None) -> list[str]:
    """Return the SHA-256 of each picture's upright RGB pixels, whatever its file format; "" where it is unreadable."""

    def digest(image: LabelledImage) -> str:
        try:
            picture = read_image(image.path)
        except InputRefusedError:
            return ""
        return hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest()

    return _in_threads(digest, images, threads)


def _in_threads(work: Callable[..., _T], items: Sequence[object], threads: int | None) -> list[_T]:
    with ThreadPoolExecutor(threads or min(MAX_THREADS, os.cpu_count() or 1)) as pool:
        return list(pool.map(work, items))


def _refuse_if_too_little_is_left(asked: Sequence[LabelledImage], pixels: Pixels) -> None:
    remedy = "Check that the folder was copied completely; repair the files, or remove them and their rows."
    if len(pixels.unreadable) > MAX_UNREADABLE * len(asked):
        message = f"{len(pixels.unreadable)} of {len(asked)} photographs cannot be read: {_named(pixels)}."
        raise InputRefusedError(message, remedy=remedy, path=pixels.unreadable[0][0])
    lost = sorted({image.code for image in asked} - {image.code for image in pixels.images})
    if lost:
        message = f"No photograph of {', '.join(lost)} can be read: {_named(pixels)}."
        raise InputRefusedError(message, remedy=remedy, path=pixels.unreadable[0][0])


def _named(pixels: Pixels) -> str:
    names = [str(path) for path, _ in pixels.unreadable[:NAMED]]
    more = len(pixels.unreadable) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
