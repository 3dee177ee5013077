"""The files that an archive or a folder offers, looked at before any of them is read.

Which names are not even looked into; and whether a file is what its name says: it is read by the same code that will
use it, before it gets its place.
"""

from __future__ import annotations

import re
import stat
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Final

from core.errors import ArchiveError, ModelTruncatedError
from core.message import Message
from core.models.pack import MAX_BYTES, why_unusable
from core.taxonomy import CLASS_INDEX
from download.pages import begins_like_html

STATISTICS: Final = "color_statistics.json"
CLASSIFIER: Final = "classifier.pth"

_CHECKPOINT: Final = re.compile(r"unet_([A-Za-z]+)_best\.(pth|safetensors)", re.IGNORECASE)
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_LONGEST: Final = 1024


def wanted(name: str) -> str | None:
    """Return the name under which a file of that name is kept, or None if it is none of a model.

    `name` may have folders before it; they are not kept.
    """
    base = name.rpartition("/")[2]
    match = _CHECKPOINT.fullmatch(base)
    if match is not None:
        code = match[1].upper()
        return f"unet_{code}_best.{match[2].lower()}" if code in CLASS_INDEX else None
    return base.lower() if base.lower() in (STATISTICS, CLASSIFIER) else None


def class_of(name: str) -> str | None:
    """Return the class that a kept checkpoint draws, or None if the file is none."""
    match = _CHECKPOINT.fullmatch(name)
    return match[1].upper() if match else None


def why_unsafe(name: str) -> Message | None:
    """Return why a name inside an archive is not touched, or None if it may be.

    Nothing is ever written under such a name anyway: this says that the archive is not what it seems.
    """
    parts = name.split("/")
    if "\x00" in name or any(ord(letter) < 32 for letter in name):
        return Message("its name holds control characters")
    if len(name) > _LONGEST:
        return Message("its file name is too long")
    if "\\" in name:
        return Message("its name holds a backslash, which leads elsewhere on Windows")
    if name.startswith("/") or _DRIVE.match(name):
        return Message("its name is an absolute path")
    if ".." in parts:
        return Message("its name leads out of the folder")
    if any(_RESERVED.fullmatch(part.strip(" .")) for part in parts):
        return Message("Windows reserves its name")
    return None


def check_content(path: Path) -> None:
    """Read a file wholly, as it will be read when it is used; nothing in it is run.

    Parameters
    ----------
    path
        Named as in `naming.wanted`.

    Raises
    ------
    ModelRefusedError
        If it is damaged, unsafe, of another architecture, or holds NaN or infinity.
    InputRefusedError
        If it is no table of colour statistics.
    """
    if path.name == STATISTICS:
        _check_statistics(path)
        return
    _refuse_at_sight(path)
    if path.name == CLASSIFIER:
        _check_classifier(path)
    elif (code := class_of(path.name)) is not None:
        _check_generator(path, code)


def _refuse_at_sight(path: Path) -> None:
    """Look at the first bytes: what cannot hold weights is refused before torch, which takes seconds, is loaded."""
    if problem := why_unusable(path):
        raise ModelTruncatedError(
            Message("{problem}.", problem=problem),
            remedy=Message("Copy or download it again; it was not loaded."),
            path=path,
        )


def _check_statistics(path: Path) -> None:
    from core.generator.color import load_color_statistics

    load_color_statistics(path)


def _check_classifier(path: Path) -> None:
    from core.models.classification.loading import load_network

    load_network(path)


def _check_generator(path: Path, code: str) -> None:
    import torch

    from core.cache.cache_manager import CacheManager
    from core.generator.model_manager import ModelManager
    from core.models.discovery import ClassModel

    model = ClassModel(code, True, path, "checkpoint")
    ModelManager(CacheManager(max_bytes=0)).load(model, torch.device("cpu"), "fp32")


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
