"""Recognises Keras files by their first bytes, so that their owner hears what to do with them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

from core.errors import ModelRefusedError
from core.message import Message

_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_ZIP: Final = b"PK\x03\x04"
_KERAS_MEMBER: Final = "model.weights.h5"


def refuse_keras(path: Path) -> None:
    """Refuse a file that Keras saved.

    Raises
    ------
    ModelRefusedError
        If it is one; the remedy is the command that imports it.
    """
    with path.open("rb") as stream:
        beginning = stream.read(len(_HDF5))
    if beginning == _HDF5:
        raise ModelRefusedError(
            Message(
                "{name} is an HDF5 file, as Keras saves them; classifiers are read here as PyTorch weights.",
                name=path.name,
            ),
            remedy=Message('Import it once with: python main.py models import "{path}" --output FOLDER', path=path),
            path=path,
        )
    if beginning.startswith(_ZIP) and _is_keras_archive(path):
        raise ModelRefusedError(
            Message("{name} is a Keras archive; classifiers are read here as PyTorch weights.", name=path.name),
            remedy=Message(
                "Save it in Keras with model.save('model.h5'), then: python main.py models import model.h5 "
                "--output FOLDER"
            ),
            path=path,
        )


def _is_keras_archive(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return _KERAS_MEMBER in archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
