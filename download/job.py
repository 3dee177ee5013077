"""Fetch or import checkpoints: one stream of events from the first byte to models that can be used."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from core.cancel import CancelToken, StopMode
from core.errors import ArchiveError, ChecksumError, InputRefusedError, UsageError
from core.events import Event
from core.files.folder_lock import FolderLock
from core.files.opening import sha256_of
from core.files.own import own_folder, own_work_folder
from core.jobs.stream import JobStopped
from core.message import Message
from download.install import Installation
from download.members import Offer, in_archive, in_folder, open_archive
from download.partial import PATIENCE, WORK_NAME, Partial, Patience
from download.records import Ledger, Record, read_records, write_record, writing_to
from download.request import DownloadRequest, Finished, Status, Verifying
from download.source import LocalSource, Source
from download.transfer import bring

ARCHIVE: Final = "archive"
"""What `Verifying` names while the whole archive is checked."""

_WORKSHOP: Final = "unpacked"


def run_download(request: DownloadRequest, cancel: CancelToken) -> Iterator[Event]:
    """Carry a request out; see `fetch`."""
    return fetch(request.source, request.target, cancel)


def fetch(
    source: Source,
    target: Path,
    cancel: CancelToken,
    *,
    patience: Patience = PATIENCE,
    ledger: Ledger | None = None,
) -> Iterator[Event]:
    """Bring checkpoints into a models folder.

    Running it again is harmless: what is complete is verified and left alone, what is missing is fetched, and a
    download that was interrupted goes on.

    Parameters
    ----------
    source
        Where they come from.
    target
        The models folder; created if it is not there. Files in it are never overwritten: one with the same name and
        another content is renamed.
    cancel
        Looked at after every piece; what has arrived is kept, unless everything is to be discarded.
    ledger
        Where the checksums of first arrivals are remembered; the user's own unless told otherwise.

    Yields
    ------
    Event
        Those of `download.request`; the last one is `Finished`.

    Raises
    ------
    DownloadError, ArchiveError, ChecksumError, InputRefusedError
        If nothing can be had; the message says what came instead.
    OutputError, FolderLockedError
        If the models folder cannot be written, is full, or is being written to; `ForeignPathError` if something that
        the program keeps in it leads elsewhere.
    """
    yield from _Job(source, target.absolute(), cancel, patience, ledger or Ledger()).run()


@dataclass
class _Job:
    source: Source
    target: Path
    cancel: CancelToken
    patience: Patience
    ledger: Ledger
    done: Installation = field(init=False)

    def __post_init__(self) -> None:
        known = {sha256 for record in read_records(self.target).values() for sha256 in record.files.values()}
        self.done = Installation(self.target, self.work / _WORKSHOP, frozenset(known))

    @property
    def work(self) -> Path:
        return self.target / WORK_NAME

    def run(self) -> Iterator[Event]:
        try:
            if (yield from self._is_complete()):  # which writes nothing: the folder may be a read-only one
                return
            with writing_to(self.work):
                own_work_folder(self.target, (WORK_NAME,))
                own_folder(self.target, self.work)
            with FolderLock(self.work, subject=self.target):
                yield from self._take()
        except JobStopped:
            yield self._stopped()

    def _take(self) -> Iterator[Event]:
        if isinstance(self.source, LocalSource):
            return self._take_local(self.source)
        return self._take_remote(Partial(self.target, self.source))

    def _is_complete(self) -> Generator[Event, None, bool]:
        """Verify what an earlier job has put there; whether nothing is missing and nothing has changed."""
        record = read_records(self.target).get(self.source.key)
        if record is None or record.refused or self.source.sha256 not in (None, record.sha256):
            return False
        if isinstance(self.source, LocalSource) and not _is_same_archive(self.source, record):
            return False
        for name, sha256 in record.files.items():
            yield Verifying(name)
            if self.cancel.mode is not None:
                raise JobStopped
            if not _holds(self.target / name, sha256):
                return False
        self.done.files = dict(record.files)
        yield self._finished("already", record.sha256)
        return True

    def _take_local(self, source: LocalSource) -> Iterator[Event]:
        with _reading(source.path):
            if source.path.is_dir():
                _refuse_itself(source.path, self.target)
                yield from self._install(in_folder(source.path), None)
                yield self._finished(self._status, None)
                return
            yield Verifying(ARCHIVE)
            sha256 = sha256_of(source.path)
            with open_archive(source.path) as archive:
                if source.sha256 not in (None, sha256):
                    raise _another_file(source, sha256, str(source.sha256), source.path)
                yield from self._install(in_archive(archive, source.path), sha256)
        yield self._finished(self._status, sha256)

    def _take_remote(self, partial: Partial) -> Iterator[Event]:
        path = yield from bring(partial, self.cancel, self.patience)
        yield Verifying(ARCHIVE)
        with writing_to(path):
            sha256 = sha256_of(path)
        with _discarded_if_useless(partial), open_archive(path) as archive:
            is_first = self._recognise(partial, archive, sha256)
            # nothing vouches for a first arrival but its own checksums, also those of what is not taken
            self.done.damaged = is_first and _first_damaged(archive) is not None
            yield from self._install(in_archive(archive, path), sha256)
        if self.done.damaged or not self.done.refused:
            partial.clear()
        if not self.done.damaged:
            self.ledger.remember(self.source.key, sha256)
        kept = partial.archive if partial.archive.is_file() else None
        yield self._finished(self._status, sha256, first_seen=is_first and not self.done.damaged, kept=kept)

    def _recognise(self, partial: Partial, archive: zipfile.ZipFile, sha256: str) -> bool:
        """Compare a checksum with the one that is known; return whether none is."""
        expected = self.source.sha256 or self.ledger.known(self.source.key) or self._recorded()
        if expected in (None, sha256):
            return expected is None
        if (name := _first_damaged(archive)) is not None:
            raise ArchiveError(
                Message("The archive arrived damaged, first at {name}. It was discarded.", name=name),
                remedy=Message("Start the download again."),
            )
        raise _another_file(self.source, sha256, str(expected), partial.archive)

    def _recorded(self) -> str | None:
        """Return the checksum of the archive that this source put there before, perhaps for another user."""
        record = read_records(self.target).get(self.source.key)
        return record.sha256 if record else None

    def _install(self, offer: Offer, sha256: str | None) -> Iterator[Event]:
        try:
            yield from self.done.put(offer, self.cancel)
        finally:
            if not self.done.damaged and self.done.files:
                unfinished = {m.name: "not looked at yet" for m in offer.members if m.target not in self.done.files}
                record = Record(sha256, self.done.files, {**unfinished, **self.done.refused})
                write_record(self.target, self.source.key, record)

    @property
    def _status(self) -> Status:
        if not self.done.refused:
            return "complete" if self.done.changed else "already"
        return "partial" if self.done.files else "refused"

    def _stopped(self) -> Finished:
        kept = None
        if not isinstance(self.source, LocalSource):
            partial = Partial(self.target, self.source)
            if self.cancel.mode is StopMode.DISCARD:
                partial.clear()
            kept = partial.folder if partial.received else None
        return self._finished("stopped", None, kept=kept)

    def _finished(
        self, status: Status, sha256: str | None, *, first_seen: bool = False, kept: Path | None = None
    ) -> Finished:
        done = self.done
        return Finished(
            status, self.target, tuple(done.files), done.classes, tuple(done.refused), sha256, first_seen, kept
        )


def _is_same_archive(source: LocalSource, record: Record) -> bool:
    with _reading(source.path):
        return source.path.is_file() and sha256_of(source.path) == record.sha256


def _holds(path: Path, sha256: str) -> bool:
    with _reading(path):
        return path.is_file() and sha256_of(path) == sha256


def _refuse_itself(folder: Path, target: Path) -> None:
    if folder.resolve() == target.resolve():
        raise UsageError(
            Message("{folder} is the models folder itself.", folder=folder),
            remedy=Message("Name another folder, or look at this one with: python main.py models verify --models DIR"),
            path=folder,
        )


@contextmanager
def _discarded_if_useless(partial: Partial) -> Iterator[None]:
    # kept, a file that is no archive would be found again at every further attempt
    try:
        yield
    except ArchiveError:
        partial.clear()
        raise


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputRefusedError(
            Message("{path} cannot be read: {why}.", path=path, why=error.strerror or str(error)),
            remedy=Message("Check that it is still there and that you may read it."),
            path=path,
        ) from error


def _first_damaged(archive: zipfile.ZipFile) -> str | None:
    try:
        return archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        return str(error)
    except OSError as error:  # its directory sends the reader before the beginning of the file
        return error.strerror or str(error)


def _another_file(source: Source, found: str, expected: str, path: Path) -> ChecksumError:
    return ChecksumError(
        Message(
            "Checksum mismatch: the file is complete, but its SHA-256 is {found} instead of "
            "{expected}. It was not unpacked.",
            found=found,
            expected=expected,
        ),
        remedy=Message(
            "If whoever publishes {address} names the new checksum, accept it with --sha256 "
            "{found}. Otherwise delete {path} and download it again.",
            address=source.address,
            found=found,
            path=path,
        ),
        path=path,
    )
