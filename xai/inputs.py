"""Which image files are meant by the files and folders that somebody names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from core.errors import InputRefusedError
from core.files.walking import walk
from core.message import Message

IMAGE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})
NOT_IMAGES: Final = frozenset({"xai_results", "trajectories", ".isicgui"})
"""Folders of an output tree that hold derived pictures."""


def find_images(inputs: Sequence[Path], warn: Callable[[str], None]) -> list[Path]:
    """Return the images among `inputs`, folders searched recursively, sorted within each.

    Parameters
    ----------
    warn
        Told what has the name of an image and is no regular file, one sentence for each folder.

    Raises
    ------
    InputRefusedError
        If a path does not exist or a folder holds no image.
    """
    return [image for path in inputs for image in _images_of(path, warn)]


def _images_of(path: Path, warn: Callable[[str], None]) -> Sequence[Path]:
    if not path.exists():
        raise InputRefusedError(
            Message("{path} does not exist.", path=path), remedy=Message("Check the spelling of the path."), path=path
        )
    if not path.is_dir():
        return [path]  # whoever reads it refuses what is no picture
    found = walk(path, _is_image, lambda name: name not in NOT_IMAGES)
    for note in found.notes:
        warn(note)
    if not found.files:
        raise InputRefusedError(
            Message("{path} holds no images.", path=path),
            remedy=Message("Images are PNG, JPEG, BMP or TIFF files."),
            path=path,
        )
    return found.files


def _is_image(name: str) -> bool:
    return Path(name).suffix.lower() in IMAGE_SUFFIXES
