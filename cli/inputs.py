"""Which image files are meant by the files and folders on a command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import InputRefusedError

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})
NOT_IMAGES = frozenset({"xai_results", "trajectories", ".isicgui"})
"""Folders of an output tree that hold derived pictures."""


def find_images(inputs: Sequence[Path]) -> list[Path]:
    """Return the images among `inputs`, folders searched recursively, sorted within each.

    Raises
    ------
    InputRefusedError
        If a path does not exist or a folder holds no image.
    """
    return [image for path in inputs for image in _images_of(path)]


def _images_of(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.exists():
        raise InputRefusedError(f"{path} does not exist.", remedy="Check the spelling of the path.", path=path)
    images = sorted(_walk(path))
    if not images:
        raise InputRefusedError(
            f"{path} holds no images.", remedy="Images are PNG, JPEG, BMP or TIFF files.", path=path
        )
    return images


def _walk(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.is_dir():
            if entry.name not in NOT_IMAGES:
                yield from _walk(entry)
        elif entry.suffix.lower() in IMAGE_SUFFIXES:
            yield entry
