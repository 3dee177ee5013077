"""A list of jobs as a file: read with care, written atomically, kept by one window at a time. No Qt."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

from filelock import FileLock, Timeout

from core.errors import ISICGUIError
from core.files import loose_json
from core.files.atomic import output_errors, write_text_atomic
from core.files.opening import read_regular
from core.keeping import set_aside
from core.message import Message

FORMAT: Final = 1
MAX_BYTES: Final = 64 * 1024**2


class Job(Protocol):
    """What can be kept; its key is like no other."""

    @property
    def key(self) -> str:
        """What it is known by."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types."""


Item = TypeVar("Item", bound=Job)


@dataclass(frozen=True, slots=True)
class LoadedList(Generic[Item]):
    """What was found: the jobs that could be read, and what the user should know about the others."""

    runs: tuple[Item, ...] = ()
    notice: str = ""


class ListStore(Generic[Item]):
    """A file of jobs in a folder of settings.

    The window that opens it first keeps it; another one may look on but has a list of its own, which nobody saves.

    Attributes
    ----------
    is_kept
        Whether this window keeps the file.
    problem
        Why nobody can keep it, in the words of the system; "" unless its folder cannot be written.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.json"
        self._lock = FileLock(folder / f"{name}.lock", thread_local=False)
        self.problem = ""
        self.is_kept = self._take()

    def load(self) -> LoadedList[Item]:
        """Read the jobs; those that cannot be read are set aside with the file, one of another window is left alone."""
        if not (self.is_kept or self.problem) or not os.path.lexists(self.path):
            return LoadedList()
        try:
            entries = _entries(read_regular(self.path, MAX_BYTES))
        except (OSError, ValueError) as error:
            return LoadedList(notice=self._set_aside(str(error)))
        known, odd = self._sorted(entries)
        if not odd:
            return LoadedList(known)
        notice = self._set_aside(
            Message(
                "{missing} of {n} saved runs could not be read: number {numbers}",
                missing=len(odd),
                n=len(entries),
                numbers=", ".join(map(str, odd)),
            )
        )
        with suppress(ISICGUIError):
            self.save(known)
        return LoadedList(known, notice)

    def save(self, runs: Sequence[Item]) -> None:
        """Write the jobs, replacing what was written before.

        Raises
        ------
        OutputError
            If that is not possible; then the file is what it was.
        """
        if not self.is_kept:
            return
        lines = ",\n".join(json.dumps(run.to_json(), ensure_ascii=False) for run in runs)
        with output_errors(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_text_atomic(self.path, f'{{"format": {FORMAT}, "runs": [\n{lines}\n]}}\n')

    def close(self) -> None:
        """Leave the file to the next window."""
        self._lock.release()

    def read(self, entry: Any) -> Item:
        """Rebuild a job from its JSON.

        Raises
        ------
        LookupError, TypeError, ValueError, ArithmeticError, AttributeError, ISICGUIError
            If it is none, or asks for what this version does not know.
        """
        raise NotImplementedError

    def notice(self, reason: str, name: str) -> Message:
        """Say that the file could not be read and what it is called now."""
        raise NotImplementedError

    def _sorted(self, entries: Sequence[Any]) -> tuple[tuple[Item, ...], list[int]]:
        """Return the jobs that can be read, and the numbers (from 1) of the entries that cannot."""
        known: dict[str, Item] = {}
        odd = []
        for number, entry in enumerate(entries, start=1):
            item = self._read_or_drop(entry)
            if item is None or not item.key or item.key in known:
                odd.append(number)
            else:
                known[item.key] = item
        return tuple(known.values()), odd

    def _read_or_drop(self, entry: Any) -> Item | None:
        try:
            return self.read(entry)
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError, ISICGUIError):
            return None

    def _take(self) -> bool:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        except (OSError, NotImplementedError) as error:  # the second: a file system without locks
            self.problem = str(getattr(error, "strerror", "") or error)
            return False
        return True

    def _set_aside(self, reason: str) -> Message:
        name = self.path.name
        with suppress(OSError):
            name = set_aside(self.path).name
        return self.notice(reason, name)


def _entries(data: bytes) -> list[Any]:
    """Return the entries of a list, None for each that is no JSON; each has a line of its own.

    Raises
    ------
    ValueError
        If it is no list.
    """
    text = data.decode("utf-8", errors="replace")
    try:
        whole = loose_json.parse(text)
    except ValueError:
        return _by_line(text)
    if not isinstance(whole, dict) or not isinstance(whole.get("runs"), list):
        raise ValueError("it holds no list of runs")
    return list(whole["runs"])


def _by_line(text: str) -> list[Any]:
    """Return the entries of a list in which something is damaged."""
    head, *lines = text.split("\n")
    if '"runs": [' not in head:
        raise ValueError("it is no JSON")
    return [_parsed(line) for line in lines if line.strip() not in ("", "]}")]


def _parsed(line: str) -> Any:
    try:
        return loose_json.parse(line.strip().removesuffix(","))
    except ValueError:
        return None
