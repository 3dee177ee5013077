"""What is remembered: of every source the checksum of its first arrival, and beside the models what was put there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from core.files.atomic import write_text_atomic
from core.models.pack import read_json
from core.utils.path_manager import PathManager
from download.space import writing_to

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
