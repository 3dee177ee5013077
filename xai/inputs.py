"""Which image files are meant by the files and folders that somebody names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from core.errors import InputRefusedError
from core.message import Message
from photographs.files import find_photographs


def find_images(inputs: Sequence[Path], warn: Callable[[str], None]) -> list[Path]:
    """Return the images among `inputs`, folders searched recursively, sorted within each.

    Parameters
    ----------
    warn
        Told what was left out, such as helper pictures and files in the cloud, one sentence each.

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
    found = find_photographs(path)
    for note in found.notes:
        warn(note)
    if not found.files:
        raise InputRefusedError(
            Message("{path} holds no images.", path=path),
            remedy=found.remedy,
            path=path,
        )
    return found.files
