"""Is a weights file the one that it should be? Answered before anything in it is looked at."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from core.errors import ModelMissingError, ModelRefusedError, ModelTruncatedError, UsageError
from core.message import Message
from core.models.safe_weights import sha256_of

_HEXADECIMAL: Final = re.compile(r"[0-9a-f]{8,64}")
_IN_NAME: Final = re.compile(r"-([0-9a-f]{8,64})\.\w+")


def check_sum(path: Path, sha256: str | None) -> str:
    """Return the SHA-256 of a file, which is the one expected.

    Parameters
    ----------
    sha256
        Its first eight digits or more; None to take them from the file's name.

    Raises
    ------
    UsageError
        If `sha256` is no such number.
    ModelMissingError
        If there is no such file.
    ModelTruncatedError
        If it has another one.
    ModelRefusedError
        If nothing says which one it should have.
    """
    if not path.is_file():
        raise ModelMissingError(
            Message("There is no weights file {path}.", path=path),
            remedy=Message("Check the name, or use --pretrained none."),
            path=path,
        )
    expected = sum_in_name(path.name) if sha256 is None else _checked(sha256)
    found = sha256_of(path)
    if expected is None:
        raise ModelRefusedError(
            Message(
                "The checksum of {name} is unknown: no SHA-256 was given, and its name contains none.", name=path.name
            ),
            remedy=Message(
                "Its SHA-256 is {found}. If its publisher names the same one, add --weights-sha256 {found}.",
                found=found,
            ),
            path=path,
        )
    if not found.startswith(expected):
        raise ModelTruncatedError(
            Message(
                "{name} is not the expected file: its SHA-256 is {found} and should begin with "
                "{expected}. It was not opened.",
                name=path.name,
                found=found,
                expected=expected,
            ),
            remedy=Message("Download it again, and compare its size with the original."),
            path=path,
        )
    return found


def sum_in_name(name: str) -> str | None:
    """Return the first digits of the SHA-256 in a name such as `resnet18-f37072fd.pth`, or None."""
    found = _IN_NAME.search(name)
    return found[1] if found else None


def _checked(sha256: str) -> str:
    text = sha256.strip().lower()
    if not _HEXADECIMAL.fullmatch(text):
        raise UsageError(
            Message("'{sha256}' is no SHA-256.", sha256=sha256),
            remedy=Message("Give its 64 hexadecimal digits, or the first eight of them or more."),
        )
    return text
