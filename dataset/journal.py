"""The append-only journal: one JSON object a line, the memory of an output folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.files.atomic import write_bytes_atomic
from core.files.opening import read_regular
from core.files.own import AppendFile
from core.files.text import strict_dumps

if TYPE_CHECKING:
    from core.files.reading import Line
    from dataset.schemas import JournalLine

_MOST_NAMED: Final = 5
MAX_BYTES: Final = 4 << 30
"""Of the file: the journal of ten million images."""

Apply = Callable[["JournalLine"], None]


class UnknownIdError(Exception):
    """A line speaks of a run or a deletion that no earlier line began."""


class Journal:
    """The journal of a folder whose lock is held.

    Parameters
    ----------
    path
        The journal file; created empty if missing.
    tmp_dir
        Folder for temporary files on the same drive.
    """

    def __init__(self, path: Path, tmp_dir: Path) -> None:
        self._path = path
        self._tmp_dir = tmp_dir
        if not path.exists():
            write_bytes_atomic(path, b"", tmp_dir=tmp_dir)
        self._file = AppendFile(path, 0)

    def load(self, apply: Apply) -> str | None:
        """Replay every line; a torn last line (its process died while writing) is cut off.

        Lines that cannot be understood are taken out, after the whole journal has been copied beside itself.

        Returns
        -------
        str or None
            What was found damaged, for the user.
        """
        found = read_regular(self._path, MAX_BYTES, follow=False)
        raw = complete_lines(found)
        damaged = replay(raw, apply)
        if damaged:
            copy = self._set_aside(raw)
            lines = raw.split(b"\n")[:-1]
            raw = b"".join(line + b"\n" for number, line in enumerate(lines, start=1) if number not in damaged)
            write_bytes_atomic(self._path, raw, tmp_dir=self._tmp_dir)
        self._file = AppendFile(self._path, len(raw))
        if raw != found:
            self._file.cut()
        if not damaged:
            return None
        where = _first_of(damaged)
        return f"The journal was damaged ({where}); a copy is kept as '{copy}'. The images themselves were read."

    def append(self, *lines: Mapping[str, Any]) -> None:
        """Append lines durably, all with one write.

        Raises
        ------
        OSError
            If that fails; then none of them counts.
        """
        self._file.append(b"".join(strict_dumps(line).encode("utf-8") + b"\n" for line in lines))

    def _set_aside(self, raw: bytes) -> Path:
        copy = self._path.with_name(f"journal.damaged-{hashlib.sha256(raw).hexdigest()[:8]}.jsonl")
        write_bytes_atomic(copy, raw, tmp_dir=self._tmp_dir)
        return copy


def complete_lines(raw: bytes) -> bytes:
    """Return `raw` up to its last newline: what is behind was never acknowledged."""
    return raw[: raw.rfind(b"\n") + 1]


def replay(raw: bytes, apply: Apply) -> dict[int, str]:
    """Hand every line to `apply`; return what is wrong with those that are damaged, by their 1-based numbers."""
    if not raw.strip():
        return {}
    from core.files.reading import parse_json_lines
    from dataset.schemas import JournalLine  # brings pydantic, which the window's start does without

    lines: Iterator[Line[JournalLine]] = parse_json_lines(raw, JournalLine)
    return {line.number: problem for line in lines if (problem := _problem_of(line, apply))}


def _problem_of(line: Line[JournalLine], apply: Apply) -> str:
    if line.value is None:
        return line.problem
    try:
        apply(line.value)
    except UnknownIdError as error:
        return str(error)
    return ""


def _first_of(damaged: Mapping[int, str]) -> str:
    """Name the lines, the first one with what is wrong with it."""
    numbers = sorted(damaged)
    shown = ", ".join(map(str, numbers[:_MOST_NAMED]))
    more = f" and {len(numbers) - _MOST_NAMED} more" if len(numbers) > _MOST_NAMED else ""
    return f"line {shown}{more}: {damaged[numbers[0]]}"
