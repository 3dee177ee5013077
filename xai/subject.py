"""What is explained: the pixels, the class they stand for, and how that is known.

The lesion's mask says where, by someone else's judgement, the lesion is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import InputRefusedError
from core.images import read_image, read_stored
from core.message import Message
from core.taxonomy import CLASS_INDEX, parse_class
from dataset.png import read_recipe
from dataset.recipe import read_sidecar
from photographs.masks import find_mask as find_mask_of
from photographs.masks import read_mask as read_any_mask

MAX_SIDE: Final = 1024
"""Larger pictures are scaled down first: the classifier sees a few hundred pixels of side in any case."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A picture ready to be explained.

    Attributes
    ----------
    image
        uint8, shape (H, W, 3), at most `MAX_SIDE` pixels of side.
    label
        Class code that the image was made for or is filed under, or None.
    label_source
        In words, how the label is known; empty without one.
    size
        Height and width before scaling.
    notes
        What was done to the picture.
    """

    image: NDArray[np.uint8] = field(repr=False)
    source: Path | None
    label: str | None
    label_source: str
    size: tuple[int, int]
    notes: tuple[str, ...] = ()


def read_subject(image: Path | NDArray[np.uint8], label: str | None = None) -> Subject:
    """Read a picture and find out which class it stands for.

    The label is the one given; else the recipe's in the PNG; else the sidecar's; else the name of the parent folder if
    that is a class code.

    Raises
    ------
    InputRefusedError
        If the picture cannot be read, or an array is no uint8 (H, W, 3).
    UnknownClassError
        If `label` is none of the seven classes.
    """
    path = image if isinstance(image, Path) else None
    pixels = read_image(image) if isinstance(image, Path) else _checked(image)
    code, source = (parse_class(label), Message("as given")) if label is not None else _find_label(path)
    fitted = _fit(pixels)
    scaled = () if fitted.shape == pixels.shape else (_scaled_note(pixels, fitted),)
    notes = (*(() if path is None else _left_out(path)), *scaled)
    return Subject(fitted, path, code, source, (pixels.shape[0], pixels.shape[1]), notes)


def _checked(image: NDArray[Any]) -> NDArray[np.uint8]:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise InputRefusedError(
            Message("The image is an array of {kind} with shape {shape}.", kind=image.dtype, shape=image.shape),
            remedy=Message("Give RGB pixels as uint8 with shape (height, width, 3)."),
        )
    return image.copy()


def _find_label(path: Path | None) -> tuple[str | None, str]:
    if path is None:
        return None, ""
    found = {
        Message("from the image's recipe"): _recipe_class(path),
        Message("from the image's sidecar"): str(read_sidecar(path).get("class")),
        Message("from the name of the image's folder"): path.absolute().parent.name,
    }
    return next(((code, source) for source, code in found.items() if code in CLASS_INDEX), (None, ""))


def _recipe_class(path: Path) -> str | None:
    try:
        return read_recipe(path).class_code
    except InputRefusedError:
        return None


def _fit(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    if max(height, width) <= MAX_SIDE:
        return pixels
    factor = MAX_SIDE / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def _scaled_note(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Message:
    return Message(
        "Scaled down from {before} to {after} pixels before explaining.",
        before=f"{before.shape[1]}x{before.shape[0]}",
        after=f"{after.shape[1]}x{after.shape[0]}",
    )


def _left_out(path: Path) -> tuple[Message, ...]:
    """Return what a file holds and 8-bit RGB cannot; the file has been read before, so it can be read."""
    stored = read_stored(path)
    if stored.values.dtype not in (np.uint8, np.bool_):
        return (Message("The image has more than 8 bits per channel; it is explained as reduced to 8 bits."),)
    if stored.alpha is not None and stored.alpha.min() < 255:
        return (Message("Parts of the image are transparent; it is explained without its transparency."),)
    return ()


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
