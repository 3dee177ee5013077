"""Files that appear under their name complete, or not at all: temporary file, fsync, rename, fsync of the folder."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from core.errors import DiskFullError, OutputError
from core.files.text import plain
from core.message import Message

_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
_NO_HARD_LINKS: Final = frozenset({errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK})


def write_bytes_atomic(path: Path, data: bytes, *, tmp_dir: Path | None = None) -> None:
    """Write `data` to `path`, replacing a file that is there.

    Parameters
    ----------
    path
        Where the file goes; its folder exists.
    tmp_dir
        Folder for the temporary file, on the same drive, which its owner empties; the file's own folder if None, where
        what a process that has died left of earlier attempts to write the same file is removed.

    Raises
    ------
    OSError
        If anything fails; then `path` is what it was before.
    """
    if tmp_dir is None:
        remove_left_behind(path)
    with temporary_file(tmp_dir or path.parent, path.name, data) as temporary:
        os.replace(temporary, path)
    fsync_dir(path.parent)


def write_text_atomic(path: Path, text: str, *, tmp_dir: Path | None = None) -> None:
    """Write `text` as UTF-8 to `path`, what is none written out; see `write_bytes_atomic` and `core.files.text`."""
    write_bytes_atomic(path, plain(text).encode("utf-8"), tmp_dir=tmp_dir)


def create_bytes_atomic(path: Path, data: bytes, *, tmp_dir: Path | None = None, sync_folder: bool = True) -> None:
    """Write `data` to `path`, which must not exist yet; see `write_bytes_atomic`.

    Parameters
    ----------
    sync_folder
        Make the name durable too; off if the caller writes another file to the same folder right after.

    Raises
    ------
    FileExistsError
        If something is at `path`; it is left untouched.
    OSError
        If anything else fails.
    """
    if tmp_dir is None:
        remove_left_behind(path)
    with temporary_file(tmp_dir or path.parent, path.name, data) as temporary:
        _rename_to_new(temporary, path)
    if sync_folder:
        fsync_dir(path.parent)


@contextmanager
def temporary_file(folder: Path, name: str, data: bytes) -> Iterator[Path]:
    """Yield a new file in `folder` that holds `data` durably; what is left of it afterwards is removed."""
    path = folder / f"{name}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
    try:
        write_new_file(path, data)
        yield path
    finally:
        with suppress(OSError):
            os.unlink(path)


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data`; one `os.write` call unless the system takes only a part of it."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def write_new_file(path: Path, data: bytes) -> None:
    """Write `data` durably to a new file; its name is durable once `fsync_dir` has been called on its folder.

    Raises
    ------
    FileExistsError
        If something is at `path`; it is left untouched.
    OSError
        If anything else fails; then a part of the file may be left.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
    try:
        write_all(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)


def fsync_dir(folder: Path) -> None:
    """Make the names in `folder` durable; Windows has no such call and keeps its own journal."""
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _rename_to_new(source: Path, target: Path) -> None:
    if os.name == "nt":
        os.rename(source, target)  # refuses an existing target there
        return
    try:
        os.link(source, target)  # POSIX rename would overwrite; link refuses
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        _rename_without_links(source, target)


def _rename_without_links(source: Path, target: Path) -> None:
    # exFAT and some network drives have no hard links. The folder lock keeps our own writers out, so only a program
    # that knows nothing of the lock could slip in between the two calls.
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    os.rename(source, target)


def remove_left_behind(path: Path) -> None:
    """Remove temporary files for `path` whose writer has died; another process that is alive may be writing one."""
    pattern = re.compile(rf"{re.escape(path.name)}\.([0-9]{{1,10}})\.[0-9a-f]{{8}}\.tmp")
    with suppress(OSError), os.scandir(path.parent) as entries:
        found = [(entry, match) for entry in entries if (match := pattern.fullmatch(entry.name))]
        for entry, match in found:
            if entry.is_file(follow_symlinks=False) and not _is_alive(int(match[1])):
                os.unlink(entry.path)


def _is_alive(pid: int) -> bool:
    import psutil  # a twentieth of a second that the window's start does not have

    return bool(psutil.pid_exists(pid))


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
