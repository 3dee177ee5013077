"""Where checkpoints come from: ISICGenerator's file on Google Drive, another address, or something on this computer.

Nothing heavy is imported here: the window shows these things before anything is fetched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from core.errors import ModelMissingError, UsageError
from core.message import Message

_SUM: Final = re.compile(r"[0-9a-f]{64}")
_DRIVE_HOSTS: Final = frozenset({"drive.google.com", "docs.google.com", "drive.usercontent.google.com"})
_DRIVE_PATH: Final = re.compile(r"/file/(?:u/\d+/)?d/([-\w]{10,})")
_DRIVE_ID: Final = re.compile(r"[-\w]{10,}")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class DriveSource:
    """One public file on Google Drive.

    Attributes
    ----------
    sha256
        What it must have, in 64 hexadecimal digits; None if only its first arrival is remembered.
    """

    file_id: str
    sha256: str | None = None

    @property
    def key(self) -> str:
        """What the source is remembered by."""
        return f"drive:{self.file_id}"

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"https://drive.google.com/file/d/{self.file_id}/view"


@dataclass(frozen=True, slots=True)
class WebSource:
    """One zip archive at an address; `sha256` as in `DriveSource`."""

    url: str
    sha256: str | None = None

    @property
    def key(self) -> str:
        """What the source is remembered by."""
        return self.url

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return self.url


@dataclass(frozen=True, slots=True)
class LocalSource:
    """A zip archive, or a folder, on this computer; a sum can only be asked of an archive."""

    path: Path
    sha256: str | None = None

    @property
    def key(self) -> str:
        """What the source is remembered by."""
        return f"file:{self.path}"

    @property
    def address(self) -> str:
        """Where it is."""
        return str(self.path)


RemoteSource = DriveSource | WebSource
Source = DriveSource | WebSource | LocalSource

ORIGINALS: Final = DriveSource("1kTIHp98AuvLmee5LahH-hZQqXQik_B1U")
"""ISICGenerator's seven checkpoints; no checksum of them was ever published."""

ORIGINALS_BYTES: Final = 7 * 101_340_000 + 45_000_000
"""About how large they are, packed or not: seven networks of 25.3 M numbers and a ResNet-18. An estimate."""


def remote_source(url: str, sha256: str | None = None) -> RemoteSource:
    """Return the source behind an address; every form of a Google Drive link is one of Google Drive.

    Raises
    ------
    UsageError
        If it is no address of a file, the checksum is none, or the way there protects nothing: neither https, nor a
        checksum, nor this computer.
    """
    checksum = checked_sum(sha256)
    parts = urlsplit(url.strip())
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise UsageError(
            Message("'{url}' is no web address.", url=url),
            remedy=Message("Give one that begins with https://, or name a file on this computer with --from-file."),
        )
    if parts.hostname in _DRIVE_HOSTS:
        return DriveSource(_drive_id(url, parts.path, parts.query), checksum)
    refuse_unprotected(url, checksum)
    return WebSource(url.strip(), checksum)


def refuse_unprotected(url: str, sha256: str | None) -> None:
    """Raise a UsageError if anybody on the way from that address could exchange the file unnoticed."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK and sha256 is None:
        raise UsageError(
            Message("{url} is not protected: anybody on the way could exchange the file.", url=url),
            remedy=Message("Use its https:// address, or give the file's checksum with --sha256."),
        )


def local_source(path: Path, sha256: str | None = None) -> LocalSource:
    """Return the source for a folder or a zip archive.

    Raises
    ------
    ModelMissingError
        If there is nothing at that place.
    UsageError
        If a checksum is given for a folder, or it is none.
    """
    checksum = checked_sum(sha256)
    if not path.exists():
        raise ModelMissingError(
            Message("There is nothing at {path}.", path=path),
            remedy=Message("Name a folder or a zip archive that holds unet_<CLASS>_best.pth files."),
            path=path,
        )
    if path.is_dir() and checksum is not None:
        raise UsageError(
            Message("A folder has no checksum: {path}.", path=path), remedy=Message("Leave --sha256 out."), path=path
        )
    return LocalSource(path.absolute(), checksum)


def checked_sum(sha256: str | None) -> str | None:
    """Return a SHA-256 in lower case; raises UsageError if it is none."""
    if sha256 is None:
        return None
    text = sha256.strip().lower()
    if not _SUM.fullmatch(text):
        raise UsageError(
            Message("'{text}' is no SHA-256.", text=sha256), remedy=Message("Give its 64 hexadecimal digits.")
        )
    return text


def _drive_id(url: str, path: str, query: str) -> str:
    ids = parse_qs(query).get("id", [])
    found = _DRIVE_PATH.match(path)
    file_id = ids[0] if len(ids) == 1 else found[1] if found else ""
    if not _DRIVE_ID.fullmatch(file_id):
        raise UsageError(
            Message("{url} does not name one file on Google Drive.", url=url),
            remedy=Message("Use the link of the file itself: https://drive.google.com/file/d/.../view"),
        )
    return file_id
