"""The lesion's mask: where, by someone else's judgement, the lesion is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import InputRefusedError
from core.message import Message
from photographs.masks import find_mask as find_mask_of
from photographs.masks import read_mask as read_any_mask


def find_mask(place: Path, source: Path | None) -> Path | None:
    """Return the mask of an image: the file itself, or the one named like the image in a folder; None if it has none.

    Raises
    ------
    InputRefusedError
        If there is nothing at that place.
    """
    if place.is_file():
        return place
    if not place.is_dir():
        raise InputRefusedError(
            Message("There is no mask at {path}.", path=place),
            remedy=Message("Name a mask, or a folder of masks that are named like the images."),
            path=place,
        )
    return None if source is None else find_mask_of(source, place)


def read_mask(path: Path, size: tuple[int, int], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Read a mask of any values in the size of its picture; see `photographs.masks`.

    Parameters
    ----------
    size
        Height and width that the mask must have: those of the picture's file.
    shape
        Height and width to return it in.

    Raises
    ------
    InputRefusedError
        If it cannot be read or has another size than the picture.
    """
    pixels = read_any_mask(path)
    if pixels.shape != size:
        raise InputRefusedError(
            Message(
                "The mask {path} has {width} x {height} pixels, but the image has {own_width} x {own_height}.",
                path=path, width=pixels.shape[1], height=pixels.shape[0], own_width=size[1], own_height=size[0],
            ),
            remedy=Message("Give the mask in the size of the image."),
            path=path,
        )  # fmt: skip
    fitted = Image.fromarray(pixels).resize((shape[1], shape[0]), Image.Resampling.NEAREST)
    return np.asarray(fitted)
