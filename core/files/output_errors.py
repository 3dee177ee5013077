"""The operating system's refusals while writing, told in words that a person can act on."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.errors import DiskFullError, OutputError
from core.message import Message

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

_REASONS: Final[dict[int, tuple[str, str]]] = {
    errno.EACCES: (
        Message("the folder or file is protected or open in another program"),
        Message("Choose a folder you may write to, or close the program that has the file open."),
    ),
    errno.EPERM: (Message("the system does not allow it"), Message("Choose a folder you may write to.")),
    errno.EROFS: (
        Message("the drive is read-only"),
        Message("Choose an output folder on a drive that can be written to."),
    ),
    errno.ENAMETOOLONG: (Message("the path is too long"), Message("Choose an output folder with a shorter path.")),
    errno.ENOENT: (
        Message("the folder has vanished, or a drive was disconnected"),
        Message("Bring the folder or the drive back, then resume; everything finished before is kept."),
    ),
    errno.ENOTDIR: (Message("a part of the path is a file, not a folder"), Message("Choose another output folder.")),
    errno.EEXIST: (
        Message("a file is where a folder should be"),
        Message("Move that file away, or choose another output folder."),
    ),
    errno.EXDEV: (
        Message("the folder is on another drive than the output folder"),
        Message("Keep the class folders inside the output folder itself, not as links to another drive."),
    ),
    errno.EFBIG: (
        Message("the file would be larger than allowed there"),
        Message("Raise the limit, or choose another output folder."),
    ),
    errno.EMFILE: (Message("too many files are open"), Message("Close other programs and try again.")),
}


def explain_os_error(error: OSError, path: Path) -> OutputError:
    """Return the `OutputError` that tells what `error` means for writing to `path`."""
    if error.errno in _FULL:
        return DiskFullError(
            Message("There is no space left on the drive of '{path}'; everything finished before is kept.", path=path),
            remedy=Message("Free some space, then resume; or choose a folder on another drive."),
            path=path,
        )
    where = Path(error.filename) if isinstance(error.filename, str) else path
    fallback = (
        Message("the system reports: {reason}", reason=error.strerror or error),
        Message("Check the drive, then resume."),
    )
    reason, remedy = _REASONS.get(error.errno or 0, fallback)
    return OutputError(
        Message("'{where}' could not be read or written: {reason}.", where=where, reason=reason),
        remedy=remedy,
        path=where,
    )


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn every `OSError` inside the block into an `OutputError` that names the file.

    Raises
    ------
    DiskFullError
        If the drive or the quota is full.
    OutputError
        For every other refusal of the operating system.
    """
    try:
        yield
    except OSError as error:
        raise explain_os_error(error, path) from error
