"""The files that an archive or a folder offers, looked at before any of them is read."""

from __future__ import annotations

import stat
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Final

from core.errors import ArchiveError
from core.message import Message
from core.models.pack import MAX_BYTES
from download.naming import wanted, why_unsafe
from download.pages import begins_like_html

MAX_MEMBERS: Final = 20_000
MAX_TOTAL: Final = 8 * 1024**3
"""Bytes of all wanted files together, unpacked."""

MAX_RATIO: Final = 100
"""Weights hardly shrink by packing; a bomb shrinks a thousandfold."""

_SMALL: Final = 4 * 1024**2
"""Below this size a ratio says nothing."""

_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 0x1


@dataclass(frozen=True)
class Member:
    """One file that is to be taken.

    Attributes
    ----------
    name
        As it stands in the archive or folder, for people.
    target
        The name under which it is kept.
    size
        Bytes that it should have.
    open
        Opens it for reading.
    """

    name: str
    target: str
    size: int
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True)
class Offer:
    """What there is: files to be taken, and files that look like models and are not, with the reason."""

    members: tuple[Member, ...]
    refused: tuple[tuple[str, Message], ...]

    @property
    def size(self) -> int:
        """Bytes of all files to be taken."""
        return sum(member.size for member in self.members)


def in_folder(folder: Path) -> Offer:
    """Return what a folder, or a folder in it, offers.

    Raises
    ------
    ArchiveError
        If no file in it has the name of a model.
    """
    files = [path for path in (*folder.glob("*"), *folder.glob("*/*")) if wanted(path.name) and path.is_file()]
    members = [_of_file(path, folder) for path in sorted(files, key=lambda path: (len(path.parts), path))]
    return _without_doubles(members, [], folder)


def in_archive(archive: zipfile.ZipFile, path: Path) -> Offer:
    """Return what a zip archive offers; nothing is unpacked.

    Raises
    ------
    ArchiveError
        If it holds too many or too large files, or none that has the name of a model.
    """
    entries = archive.infolist()
    if len(entries) > MAX_MEMBERS:
        raise _bomb(path, Message("{n} files", n=len(entries)))
    members, refused = [], []
    for entry in entries:
        if (problem := _why_not(entry)) is not None:
            refused.append((_shown(entry.orig_filename), problem))
        elif (target := wanted(entry.filename)) is not None and not entry.is_dir():
            members.append(Member(entry.filename, target, entry.file_size, partial(archive.open, entry)))
    if sum(member.size for member in members) > MAX_TOTAL:
        raise _bomb(path, Message("{size:.1f} GB", size=sum(member.size for member in members) / 1e9))
    return _without_doubles(members, refused, path)


def open_archive(path: Path) -> zipfile.ZipFile:
    """Open a zip archive.

    Raises
    ------
    ArchiveError
        If it is a web page, is no zip archive, or is damaged.
    """
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, LookupError) as error:
        with path.open("rb") as stream:
            is_page = begins_like_html(stream.read(512))
        what = (
            Message("a web page, not an archive") if is_page else Message("no zip archive, or one that ends too early")
        )
        raise ArchiveError(
            Message("{name} is {what}. Nothing of it was unpacked.", name=path.name, what=what),
            remedy=Message("Download it again, and compare its size with the original."),
            path=path,
        ) from error


def _why_not(entry: zipfile.ZipInfo) -> Message | None:
    """Return why a member is not touched, whatever it holds, or None if it may be."""
    if (problem := why_unsafe(entry.orig_filename)) is not None:
        return problem
    if stat.S_ISLNK(entry.external_attr >> 16):
        return Message("it is a link to another file")
    if wanted(entry.filename) is None:
        return None
    if entry.flag_bits & _ENCRYPTED:
        return Message("it is locked with a password")
    if entry.compress_type not in _METHODS:
        return Message("it is packed by a method that is not read here")
    if entry.file_size > MAX_BYTES:
        return Message("it would be {size:.1f} GB, far more than any model", size=entry.file_size / 1e9)
    if entry.file_size > max(_SMALL, MAX_RATIO * entry.compress_size):
        return Message(
            "it would unpack to {ratio} times its size", ratio=entry.file_size // max(1, entry.compress_size)
        )
    return None


def _shown(name: str) -> str:
    return name.encode("unicode_escape").decode("ascii") if not name.isprintable() else name


def _of_file(path: Path, folder: Path) -> Member:
    return Member(
        path.relative_to(folder).as_posix(),
        wanted(path.name) or path.name,
        path.stat().st_size,
        lambda: path.open("rb"),
    )


def _without_doubles(members: Iterable[Member], refused: list[tuple[str, Message]], path: Path) -> Offer:
    by_target: dict[str, list[Member]] = defaultdict(list)
    for member in members:
        by_target[member.target].append(member)
    taken = [group[0] for group in by_target.values() if len(group) == 1]
    for group in by_target.values():
        others = [member.name for member in group]
        if len(group) > 1:
            why = Message("several files have that name ({names})", names=", ".join(others))
            refused += [(group[0].target, why)]
    if not taken and not refused:
        raise ArchiveError(
            Message(
                "{path} holds none of the files unet_<CLASS>_best.pth, classifier.pth, color_statistics.json.",
                path=path,
            ),
            remedy=Message("Choose the archive or the folder with the checkpoints in it."),
            path=path,
        )
    return Offer(tuple(taken), tuple(refused))


def _bomb(path: Path, what: Message) -> ArchiveError:
    return ArchiveError(
        Message(
            "{name} would unpack to {what}: that is no archive of models. Nothing was unpacked.",
            name=path.name,
            what=what,
        ),
        remedy=Message("Check where it comes from."),
        path=path,
    )
