"""Every error a person can meet: what happened, why, and what to do about it.

The window and the command line show the same three sentences, and the command line ends with `exit_code`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from core.message import Message, joined


class ISICGUIError(Exception):
    """An error with a remedy.

    Parameters
    ----------
    message
        What happened and why, in one or two plain sentences.
    remedy
        What the reader can do about it.
    path
        The file or folder concerned, if there is one.
    """

    exit_code: ClassVar[int] = 1
    kind: ClassVar[str] = "error"

    def __init__(self, message: str, *, remedy: str = "", path: Path | str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.path = None if path is None else Path(path)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class UsageError(ISICGUIError):
    """The request itself is impossible: a flag or a value is wrong."""

    exit_code = 2
    kind = "usage"


class UnknownClassError(UsageError):
    """A class code that is not one of the seven."""

    kind = "unknown_class"

    def __init__(self, text: str, known: Sequence[str], suggestion: str | None) -> None:
        known_ones = Message("The classes are {codes}.", codes=", ".join(known))
        hints = [Message("Did you mean {code}?", code=suggestion)] if suggestion else []
        super().__init__(
            Message("There is no class '{text}'.", text=text),
            remedy=joined([*hints, known_ones]),
        )


class DeviceError(UsageError):
    """The device asked for is not there."""

    kind = "device"


class ModelRefusedError(ISICGUIError):
    """A model file or folder that is not loaded, for a reason that `kind` names."""

    exit_code = 3
    kind = "model"


class ModelMissingError(ModelRefusedError):
    """No usable model at the place where one was looked for."""

    kind = "model_missing"


class ModelTruncatedError(ModelRefusedError):
    """A file that ends before its content does, or is no weights file at all."""

    kind = "model_truncated"


class ModelUnsafeError(ModelRefusedError):
    """A pickle that asks for code to be run."""

    kind = "model_unsafe"


class ModelArchitectureError(ModelRefusedError):
    """Missing, extra or differently shaped tensors."""

    kind = "model_architecture"


class ModelNotFiniteError(ModelRefusedError):
    """Weights that hold NaN or infinity."""

    kind = "model_not_finite"


class ModelTooLargeError(ModelRefusedError):
    """A file far larger than any model this program reads."""

    kind = "model_too_large"


class DownloadError(ModelRefusedError):
    """Models that cannot be fetched: no network, a server that refuses, a page instead of the file."""

    kind = "download"


class DownloadQuotaError(DownloadError):
    """Google hands the file out to nobody for a while, because too many have fetched it."""

    kind = "download_quota"


class DownloadSignInError(DownloadError):
    """A page asks for a sign-in before the file is handed out."""

    kind = "download_sign_in"


class ChecksumError(ModelRefusedError):
    """A file that is complete, and is another one than it should be."""

    kind = "checksum"


class ArchiveError(ModelRefusedError):
    """An archive, or a member of one, that is not unpacked."""

    kind = "archive"


class InputRefusedError(ISICGUIError):
    """An image, recipe or data file that cannot be used."""

    exit_code = 3
    kind = "input"


class OutOfMemoryError(ISICGUIError):
    """Not even one image fits into the device's memory."""

    kind = "out_of_memory"


class OutputError(ISICGUIError):
    """The output folder cannot be written: read-only, vanished, full, or a path too long."""

    exit_code = 4
    kind = "output"


class DiskFullError(OutputError):
    """No space left where the images go."""

    kind = "disk_full"


class FolderLockedError(OutputError):
    """Another process is writing to the same output folder."""

    kind = "locked"
