"""What is remembered: of every source the checksum of its first arrival, and beside the models what was put there.

Room for it is asked for before a download begins, again when its size is known, and before it is unpacked.
"""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from core.errors import DiskFullError
from core.files.atomic import explain_os_error, write_text_atomic
from core.message import Message
from core.models.pack import read_json
from core.utils.path_manager import PathManager

RESERVE: Final = 64 * 1024**2
"""Bytes that stay free: a drive filled to the last one troubles every other program."""

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def free_bytes(folder: Path) -> int:
    """Return the free space where `folder` is or will be."""
    place = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())
    return shutil.disk_usage(place).free


def require_space(folder: Path, needed: int) -> None:
    """Raise a DiskFullError unless `needed` bytes fit where `folder` is, and a little remains."""
    free = free_bytes(folder)
    if needed + RESERVE <= free:
        return
    raise DiskFullError(
        Message(
            "There is not enough space at {folder}: {needed} are needed, {free} are free.",
            folder=folder,
            needed=size(needed + RESERVE),
            free=size(free),
        ),
        remedy=Message("Free some space, or choose a folder on another drive (--to DIR). What has arrived is kept."),
        path=folder,
    )


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals inside the block into errors that name the file and what to do.

    Raises
    ------
    DiskFullError
        If the drive or the quota is full, or files may not become that large.
    OutputError
        For every other refusal.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(
                Message("There is no space left for {path}.", path=path),
                remedy=Message(
                    "Free some space, or choose a folder on another drive (--to DIR); the same "
                    "command then continues with what has arrived."
                ),
                path=path,
            ) from error
        problem = explain_os_error(error, path)
        problem.remedy = Message("Choose a folder that you may write to (--to DIR).")
        raise problem from error


def size(count: float) -> str:
    """Return a number of bytes for people, as in ``754 MB``."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


RECORD_NAME: Final = "isicgui-models.json"
"""Beside the models: where they came from and the SHA-256 of each."""

LEDGER_NAME: Final = "downloads.json"
"""In the user's folder of settings: the SHA-256 that each source had when it first arrived."""

_FORMAT: Final = 1


class Ledger:
    """Trust on first use: no checksum was ever published for the originals, so the first arrival sets it.

    Parameters
    ----------
    path
        The file; in the user's folder of settings unless told otherwise.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or PathManager().config_dir / LEDGER_NAME

    def known(self, key: str) -> str | None:
        """Return the SHA-256 of a source's first arrival, or None."""
        entry = self._entries().get(key)
        found = entry.get("sha256") if isinstance(entry, dict) else None
        return found if isinstance(found, str) else None

    def remember(self, key: str, sha256: str) -> None:
        """Write down a source's SHA-256, in place of another one."""
        if self.known(key) == sha256:
            return
        entry = {"sha256": sha256, "since": _now()}
        with writing_to(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_text_atomic(self.path, _text({"format": _FORMAT, "sources": {**self._entries(), key: entry}}))

    def _entries(self) -> dict[str, Any]:
        try:
            entries = read_json(self.path).get("sources")
        except ValueError:
            return {}
        return entries if isinstance(entries, dict) else {}


@dataclass(frozen=True, slots=True)
class Record:
    """What one source has put into a models folder.

    Attributes
    ----------
    sha256
        Of the archive; None if they came from a folder.
    files
        SHA-256 by name.
    refused
        Why a file of the archive was not taken, by its name in the archive.
    """

    sha256: str | None
    files: dict[str, str]
    refused: dict[str, str]


def read_records(folder: Path) -> dict[str, Record]:
    """Return what is recorded in a models folder, by source; nothing if that cannot be read."""
    try:
        data = read_json(folder / RECORD_NAME)
    except ValueError:
        return {}
    sources = data.get("sources")
    if data.get("format") != _FORMAT or not isinstance(sources, dict):
        return {}
    return {str(key): _record(entry) for key, entry in sources.items() if isinstance(entry, dict)}


def write_record(folder: Path, source: str, record: Record) -> None:
    """Write into a models folder what a source has put there, in place of what it had put there before."""
    records = {**read_records(folder), source: record}
    path = folder / RECORD_NAME
    with writing_to(path):
        sources = {key: asdict(entry) for key, entry in records.items()}
        write_text_atomic(path, _text({"format": _FORMAT, "written": _now(), "sources": sources}))


def _record(entry: dict[str, Any]) -> Record:
    sha256 = entry.get("sha256")
    return Record(sha256 if isinstance(sha256, str) else None, _texts(entry.get("files")), _texts(entry.get("refused")))


def _texts(value: object) -> dict[str, str]:
    return {str(key): str(text) for key, text in value.items()} if isinstance(value, dict) else {}


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
