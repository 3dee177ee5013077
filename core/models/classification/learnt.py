"""`learnt.txt` beside a classifier: which photographs it has learnt from or was chosen by, so that they test nothing.

One line for each photograph: the first ten hexadecimal digits of the SHA-256 of its id. The id is the name of the file
without folders and suffix, as the archives give it, in lower case: a photograph is known in another size or copy too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from core.errors import ModelTruncatedError
from core.files.atomic import write_text_atomic
from core.files.opening import read_regular
from core.message import Message

LEARNT_FILE: Final = "learnt.txt"

_DIGITS: Final = 10
_MAX_BYTES: Final = 64 << 20
_LINE: Final = re.compile(rf"[0-9a-f]{{{_DIGITS}}}")
_SUFFIX: Final = re.compile(r"(_downsampled)?(\.(jpe?g|png|bmp|tiff?|webp))?$")


def digest_of(name: str) -> str:
    """Return the line of a photograph, by its id or the path of its file."""
    last = re.split(r"[\\/]", name.lower())[-1]
    return hashlib.sha256(_SUFFIX.sub("", last).encode()).hexdigest()[:_DIGITS]


def write_learnt(folder: Path, names: Iterable[str]) -> None:
    """Write the file of the photographs with these ids."""
    write_text_atomic(
        folder / LEARNT_FILE, "".join(f"{line}\n" for line in sorted({digest_of(name) for name in names}))
    )


def read_learnt(classifier: Path) -> frozenset[str] | None:
    """Return the lines of the file beside a classifier, its folder or weights; None if there is none.

    Raises
    ------
    ModelTruncatedError
        If it is none, or cannot be read.
    """
    path = (classifier if classifier.is_dir() else classifier.parent) / LEARNT_FILE
    try:
        lines = read_regular(path, _MAX_BYTES).decode("ascii", "replace").split()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _damaged(path) from error
    if not all(_LINE.fullmatch(line) for line in lines):
        raise _damaged(path)
    return frozenset(lines)


def _damaged(path: Path) -> ModelTruncatedError:
    return ModelTruncatedError(
        Message("{path} is no list of photographs.", path=path),
        remedy=Message("Copy the classifier's folder again."),
        path=path,
    )
