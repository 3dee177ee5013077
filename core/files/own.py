"""Paths below a folder of the program's own: nothing is read, written or deleted through a link that leads elsewhere.

The folder that a person names may be a link; what the program makes inside it may not. A check before use would be
enough against accidents and against folders that arrived from somebody else; opening with `O_NOFOLLOW` and removing by
`shutil.rmtree`, which does not follow links, keep the window between check and use as small as the system allows.

Private files (logs, crash reports) are nobody's business but their owner's; where a system has no such permissions
(Windows, some drives), the folder's own protection is all there is.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from core.errors import OutputError
from core.files.atomic import write_all
from core.files.opening import NotRegularFileError, read_regular
from core.files.text import plain
from core.message import Message

TEMPORARY_NAME: Final = re.compile(r".*\.[0-9a-f]{8}\.tmp")
"""Names that `core.files.atomic.temporary_file` gives; nothing else in a folder for temporary files is removed."""

_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
_NO_LINK: Final[int] = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: Final[int] = getattr(os, "O_NONBLOCK", 0)
_REPARSE_POINT: Final = 0x400  # a junction or link on Windows
_APPENDED: Final = frozenset({".csv", ".jsonl", ".log"})


class ForeignPathError(OutputError):
    """Something that the program did not make lies where it keeps its own files: a link, a device, another kind."""

    kind = "foreign_path"


def is_link(path: Path) -> bool:
    """Whether a symbolic link (on Windows also a junction) is at `path` itself."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return False
    return stat.S_ISLNK(found.st_mode) or bool(getattr(found, "st_file_attributes", 0) & _REPARSE_POINT)


def require_own(root: Path, path: Path) -> Path:
    """Return `path`, which is below `root`, if no part of it below `root` is a link.

    Parts that do not exist yet are no harm.

    Raises
    ------
    ForeignPathError
        If a part is a link, or `path` does not lie below `root`.
    """
    try:
        parts = path.relative_to(root).parts
    except ValueError:
        raise _outside(root, path) from None
    if ".." in parts or not parts:
        raise _outside(root, path)
    place = root
    for part in parts:
        place = place / part
        if is_link(place):
            raise ForeignPathError(
                Message("'{path}' is a link to another place; nothing is written or deleted through it.", path=place),
                remedy=Message("Remove the link, or choose another folder."),
                path=place,
            )
    return path


def own_folder(root: Path, path: Path) -> Path:
    """Make a folder below `root`, with its parents, unless it is there; refuse links on the way.

    Raises
    ------
    ForeignPathError
        If a part is a link, or something that is no folder.
    OSError
        If it cannot be made.
    """
    require_own(root, path)
    path.mkdir(parents=True, exist_ok=True)
    return require_own(root, path)


def own_work_folder(folder: Path, names: Iterable[str]) -> Path:
    """Make the folder of a run unless it is there, and see that nothing of the program's own in it leads elsewhere.

    A link, pipe or device is refused, at whatever depth. Logs and tables, which are appended to, get a content of their
    own where they have a second name. The folder itself may be a link.

    Parameters
    ----------
    names
        Patterns of what the program keeps in the folder: a person may keep other things next to it.

    Raises
    ------
    ForeignPathError
        If something of the program's own is no regular file and no folder; it is named.
    OSError
        If the folder cannot be made or read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    patterns = tuple(names)
    for name in os.listdir(folder):
        if any(fnmatch(name, pattern) for pattern in patterns):
            _require_own_tree(folder, folder / name)
    return folder


def check_own_file(root: Path, path: Path) -> os.stat_result | None:
    """Return what is known of a file below `root`, None if there is none; nothing is opened or changed.

    Raises
    ------
    ForeignPathError
        If a part is a link, or something else than a regular file is there.
    """
    require_own(root, path)
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(found.st_mode):
        raise not_regular(path)
    return found


def read_own(root: Path, path: Path, limit: int) -> bytes | None:
    """Return the content of a file below `root` of at most `limit` bytes; None if there is none.

    Raises
    ------
    ForeignPathError
        If a part is a link, or something else than a regular file is there.
    OSError
        If it is larger, or cannot be read.
    """
    require_own(root, path)
    try:
        return read_regular(path, limit, follow=False)
    except FileNotFoundError:
        return None
    except NotRegularFileError as error:
        raise not_regular(path) from error


def own_file(root: Path, path: Path) -> Path:
    """Return a file below `root` that may be appended to or replaced in place: absent, or regular and with one name.

    A file that has another name elsewhere (a hard link, as back-up tools make) gets a copy of its own first, so that
    the other name keeps its content.

    Raises
    ------
    ForeignPathError
        If a part is a link, or something else than a regular file is there.
    OSError
        If the copy cannot be made.
    """
    found = check_own_file(root, path)
    if found is not None and found.st_nlink > 1:
        _part_from_other_names(path)
    return path


def open_own(path: Path, flags: int, mode: int = 0o666) -> int:
    """Open a file of the program's own and return the descriptor; a link, pipe or device there is refused.

    Raises
    ------
    NotRegularFileError
        If no regular file is there.
    OSError
        If it cannot be opened; a link gives ``ELOOP``.
    """
    if is_link(path):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    fd = os.open(path, flags | _BINARY | _NO_LINK | _NO_WAIT, mode)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NotRegularFileError(path, "something else")
    return fd


def remove_temporary(root: Path, folder: Path) -> None:
    """Remove the temporary files in `folder`, a folder below `root`: regular files named as the program names them.

    Anything else there was put by somebody else and stays.

    Raises
    ------
    ForeignPathError
        If a part of the path is a link.
    OSError
        If a file cannot be removed.
    """
    require_own(root, folder)
    for entry in _entries(folder):
        if TEMPORARY_NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
            os.unlink(entry.path)


def remove_tree(root: Path, folder: Path, is_ours: Callable[[Path], bool]) -> None:
    """Remove `folder`, which is below `root`, with everything in it, if `is_ours` confirms that the program made it.

    Links inside are removed, never followed.

    Raises
    ------
    ForeignPathError
        If a part of the path is a link, or `is_ours` says no.
    OSError
        If something cannot be removed.
    """
    require_own(root, folder)
    if not is_ours(folder):
        raise ForeignPathError(
            Message("'{path}' was not made by this program; it is not changed.", path=folder),
            remedy=Message("Move it away, then try again."),
            path=folder,
        )
    shutil.rmtree(folder)


def not_regular(path: Path) -> ForeignPathError:
    """Return the error for something else than a regular file where the program keeps one."""
    return ForeignPathError(
        Message("'{path}' is not a regular file; the program keeps a file of its own there.", path=path),
        remedy=Message("Move it away, or choose another folder."),
        path=path,
    )


def _outside(root: Path, path: Path) -> ForeignPathError:
    return ForeignPathError(
        Message("'{path}' is not inside '{root}'.", path=path, root=root),
        remedy=Message("The file that names it was damaged or written by somebody else."),
        path=path,
    )


def _require_own_tree(root: Path, path: Path) -> None:
    require_own(root, path)
    if path.is_dir():
        for name in os.listdir(path):
            _require_own_tree(root, path / name)
    else:
        (own_file if path.suffix in _APPENDED else check_own_file)(root, path)


def _entries(folder: Path) -> Iterable[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _part_from_other_names(path: Path) -> None:
    from core.files.atomic import write_bytes_atomic

    fd = open_own(path, os.O_RDONLY)
    with os.fdopen(fd, "rb") as stream:
        write_bytes_atomic(path, stream.read())


FOLDER: Final = 0o700
FILE: Final = 0o600
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner can look into, or make the one that is there so.

    Raises
    ------
    OSError
        If there is none and it cannot be made.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=FOLDER, exist_ok=True)
    _tighten(folder, FOLDER)


def open_private(path: Path, flags: int) -> int:
    """Open a file that only its owner can read and return the descriptor; one that is there is made so.

    Raises
    ------
    OSError
        If it cannot be opened, or is no regular file.
    """
    fd = open_own(path, flags, FILE)
    if os.name == "posix" and os.fstat(fd).st_mode & _OTHERS:
        with suppress(OSError):
            os.fchmod(fd, FILE)
    return fd


def write_private(path: Path, text: str) -> None:
    """Write `text` to a file that only its owner can read, in place of what was there.

    Raises
    ------
    OSError
        If that fails, or something that is no regular file is there.
    """
    fd = open_private(path, os.O_WRONLY | os.O_CREAT)
    try:
        os.ftruncate(fd, 0)
        write_all(fd, plain(text).encode("utf-8"))
    finally:
        os.close(fd)


def tighten(paths: Iterable[Path]) -> None:
    """Take the rights of others from regular files that earlier versions have left readable."""
    for path in paths:
        _tighten(path, FILE)


def _tighten(path: Path, mode: int) -> None:
    with suppress(OSError):
        found = os.lstat(path)
        if not stat.S_ISLNK(found.st_mode) and found.st_mode & _OTHERS:
            os.chmod(path, mode)


class AppendFile:
    """Appends to an existing file; whatever a failed append left behind is cut off before the next one.

    Parameters
    ----------
    path
        The file; it exists.
    size
        Number of bytes at its start that are known to be good.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size

    def append(self, data: bytes) -> None:
        """Append `data` with one write, and make it durable.

        Raises
        ------
        OSError
            If that fails, if a link or no regular file is there, or if the file is shorter than it was; then nothing
            counts as appended.
        """
        fd = open_own(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            self._cut_to_good_size(fd)
            self._write_or_undo(fd, data)
        finally:
            os.close(fd)
        self.size += len(data)

    def cut(self) -> None:
        """Cut off, durably, whatever is behind the good bytes.

        Raises
        ------
        OSError
            If that fails, if a link or no regular file is there, or if the file is shorter than it was.
        """
        fd = open_own(self.path, os.O_WRONLY)
        try:
            self._cut_to_good_size(fd)
            os.fsync(fd)
        finally:
            os.close(fd)

    def _cut_to_good_size(self, fd: int) -> None:
        present = os.fstat(fd).st_size
        if present < self.size:
            raise OSError(errno.EIO, "another program has shortened the file", str(self.path))
        if present > self.size:
            os.ftruncate(fd, self.size)

    def _write_or_undo(self, fd: int, data: bytes) -> None:
        try:
            write_all(fd, data)
            os.fsync(fd)
        except OSError:
            with suppress(OSError):
                os.ftruncate(fd, self.size)
            raise
