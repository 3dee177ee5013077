"""From what is offered to files in their place: one at a time unpacked, checked, and only then moved there."""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from core.cancel import CancelToken
from core.errors import ArchiveError, InputRefusedError, ISICGUIError, ModelRefusedError
from core.events import Event
from core.files.atomic import fsync_dir
from core.files.opening import sha256_of
from core.jobs.stream import JobStopped
from core.keeping import set_aside
from core.message import Message
from core.taxonomy import CLASS_CODES
from download.members import Member, Offer, check_content, class_of
from download.records import require_space, writing_to
from download.request import Extracting, Installed, Refused, Verifying

PIECE: Final = 1024**2
_STEP: Final = 16 * 1024**2
"""Bytes between two events."""

_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError, UnicodeDecodeError)


@dataclass
class Installation:
    """Puts an offer's files into a models folder.

    Parameters
    ----------
    target
        The models folder.
    workshop
        A folder on the same drive for what is not checked yet; removed afterwards.
    trusted
        SHA-256 of files that passed their check at an earlier time.

    Attributes
    ----------
    files
        SHA-256 of every file that now is in the models folder, by name.
    refused
        Why a file was not taken, by its name in the offer.
    changed
        Whether a file was put there that was not there before.
    damaged
        Whether a file could not be unpacked, so that the archive itself must be broken.
    """

    target: Path
    workshop: Path
    trusted: frozenset[str] = frozenset()
    files: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    changed: bool = False
    damaged: bool = False

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes whose checkpoints are there."""
        found = {class_of(name) for name in self.files}
        return tuple(code for code in CLASS_CODES if code in found)

    def put(self, offer: Offer, cancel: CancelToken) -> Iterator[Event]:
        """Take every file of an offer, and say of each what became of it.

        Raises
        ------
        JobStopped
            If `cancel` asks for it; files that have their place keep it.
        OutputError
            If something cannot be written.
        """
        require_space(self.target, offer.size)
        with writing_to(self.workshop):
            self.workshop.mkdir(parents=True, exist_ok=True)
        yield from (self._refuse(name, _not_touched(name, why)) for name, why in offer.refused)
        done = 0
        try:
            for member in offer.members:
                yield from self._take(member, done, offer.size, cancel)
                done += member.size
        finally:
            with suppress(OSError):
                self.workshop.rmdir()

    def _take(self, member: Member, done: int, total: int, cancel: CancelToken) -> Iterator[Event]:
        place = self.workshop / member.target
        try:
            sha256 = yield from self._unpack(member, place, done, total, cancel)
            is_there = sha256 == _sum_of(self.target / member.target)
            if not is_there or sha256 not in self.trusted:
                yield Verifying(member.target)
                check_content(place)
            if not is_there:
                yield self._place(place, member.target, sha256)
            self.files[member.target] = sha256
        except (ModelRefusedError, InputRefusedError) as error:
            yield self._refuse(member.name, error)
        finally:
            place.unlink(missing_ok=True)

    def _unpack(
        self, member: Member, place: Path, done: int, total: int, cancel: CancelToken
    ) -> Generator[Event, None, str]:
        """Copy a member, counting what really comes, and return its SHA-256."""
        digest, written, told = hashlib.sha256(), 0, 0
        with writing_to(place):
            place.unlink(missing_ok=True)  # what a killed program left, under whatever other name besides
        with writing_to(place), self._opened(member) as source, place.open("xb") as stream:
            while piece := self._read(source, member):
                if cancel.mode is not None:
                    raise JobStopped
                written += stream.write(piece)
                digest.update(piece)
                if written > member.size:
                    raise self._damage(member)
                if written - told >= _STEP or written == member.size:
                    told = written
                    yield Extracting(member.target, done + written, total)
            stream.flush()
            os.fsync(stream.fileno())
        if written != member.size:
            raise self._damage(member)
        return digest.hexdigest()

    def _opened(self, member: Member) -> IO[bytes]:
        try:
            return member.open()
        except OSError as error:
            raise _unreadable(member, error) from error
        except (*_DAMAGED, RuntimeError) as error:
            raise self._damage(member) from error

    def _read(self, source: IO[bytes], member: Member) -> bytes:
        try:
            return source.read(PIECE)
        except OSError as error:
            raise _unreadable(member, error) from error
        except _DAMAGED as error:
            raise self._damage(member) from error

    def _damage(self, member: Member) -> ArchiveError:
        self.damaged = True
        return ArchiveError(
            Message(
                "{name} is damaged: its content does not have the length and the checksum that it should.",
                name=member.name,
            ),
            remedy=Message("Download the archive again."),
        )

    def _place(self, place: Path, name: str, sha256: str) -> Installed:
        final = self.target / name
        with writing_to(final):
            replaced = set_aside(final, "replaced") if os.path.lexists(final) else None
            os.replace(place, final)
            fsync_dir(self.target)
        self.changed = True
        return Installed(name, final, sha256, replaced)

    def _refuse(self, name: str, error: ISICGUIError) -> Refused:
        hidden = f"{self.workshop}{os.sep}"  # nobody needs to know where a file lay that is gone
        message = error.message.replace(hidden, "") if hidden in error.message else error.message
        self.refused[name] = str(message)
        return Refused(name, error.kind, message, error.remedy)


def _unreadable(member: Member, error: OSError) -> ArchiveError:
    return ArchiveError(
        Message("{name} cannot be read: {why}.", name=member.name, why=error.strerror or str(error)),
        remedy=Message("Check the drive it is on, and copy it again."),
    )


def _not_touched(name: str, why: Message) -> ArchiveError:
    return ArchiveError(
        Message("{name} is not imported: {why}.", name=name, why=why),
        remedy=Message("Check where the archive comes from."),
    )


def _sum_of(path: Path) -> str | None:
    with writing_to(path):
        return sha256_of(path) if path.is_file() else None
