"""How a program ends that should not have: a report of an unexpected error, and the mark of a session.

While a session lasts it holds a lock that the kernel gives back however the process ends. So a file that is there
with its lock free is left over from a session that did not end by itself: with a traceback in it it crashed, without
one it was killed, or the power went. No clock, process number or clean-up of the dying process is relied on.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import platform
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Final

from core.environment.lock import try_lock
from core.files.opening import open_regular, read_regular
from core.files.own import open_own, open_private, private_folder, write_private
from core.home import own_redactor
from core.utils.logger import FILE_NAME
from core.utils.path_manager import PathManager
from core.version import PRODUCT, __version__

LOG_LINES: Final = 200
LONGEST_LOG: Final = 1_000_000
"""Bytes at the end of the log file that are looked at for its last lines."""

_PREFIX: Final = "session-"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ending:
    """How an earlier session ended that did not end by itself.

    Attributes
    ----------
    crashed
        Whether the interpreter's fault handler had something to write; else it was killed, or the power went.
    report
        The file with what is known of it.
    """

    crashed: bool
    report: Path


class SessionMarker:
    """The file of one session.

    Parameters
    ----------
    folder
        The log folder; one that cannot be written means that nothing is noticed, not that nothing starts.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = -1
        self._file: IO[str] | None = None
        self._stem = folder / f"{_PREFIX}{datetime.now(timezone.utc):%Y%m%d-%H%M%S-%f}-{os.getpid()}"

    def begin(self) -> Ending | None:
        """Catch crashes from now on; return how the latest earlier session ended, if it did not end by itself."""
        try:
            private_folder(self._folder)
            ending = _collect(self._folder)
            self._open()
        except OSError as problem:
            _log.debug("Crashes will not be noticed: %s", problem)
            return None
        return ending

    def end(self) -> None:
        """The session has ended by itself."""
        if self._file:
            faulthandler.disable()
            self._file.close()
            self._file = None
            os.close(self._lock)
            for suffix in (".faults", ".lock"):
                with suppress(OSError):
                    self._stem.with_suffix(suffix).unlink()

    def _open(self) -> None:
        self._lock = open_private(self._stem.with_suffix(".lock"), os.O_RDWR | os.O_CREAT)
        try_lock(self._lock)
        faults = open_private(self._stem.with_suffix(".faults"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._file = os.fdopen(faults, "w", encoding="utf-8")
        faulthandler.enable(self._file)


def _collect(folder: Path) -> Ending | None:
    """Turn what earlier sessions have left behind into reports; return the latest."""
    endings = [_report_if_left(faults) for faults in sorted(folder.glob(f"{_PREFIX}*.faults"))]
    return next((ending for ending in reversed(endings) if ending is not None), None)


def _report_if_left(faults: Path) -> Ending | None:
    """Turn what one session has left into a report; None if it still lasts, or what is there is nothing of ours."""
    try:
        return _to_report(faults) if _is_left(faults) else None
    except OSError as problem:
        _log.debug("%s cannot be looked at: %s", faults, problem)
        return None


def _is_left(faults: Path) -> bool:
    """Whether the session of a file has ended."""
    try:
        lock = open_own(faults.with_suffix(".lock"), os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        return try_lock(lock)
    finally:
        os.close(lock)


def _to_report(faults: Path) -> Ending:
    traceback = read_regular(faults, LONGEST_LOG).decode("utf-8", errors="replace").strip()
    how = "It crashed:" if traceback else "It was ended from outside, or the machine was: there is no traceback."
    lines = [
        f"{PRODUCT} {__version__}, found at the next start",
        f"A session did not end by itself: {faults.stem.removeprefix(_PREFIX)} (UTC, process). {how}",
        traceback,
        "",
        "Last log lines:",
        *last_lines(faults.parent / FILE_NAME),
    ]
    report = faults.with_name(f"crash-{faults.stem.removeprefix(_PREFIX)}.txt")
    write_private(report, own_redactor({}).clean("\n".join(lines)) + "\n")
    for path in (faults, faults.with_suffix(".lock")):
        path.unlink(missing_ok=True)
    return Ending(bool(traceback), report)


def last_lines(path: Path, count: int = LOG_LINES) -> list[str]:
    """Return the last lines of a log file, none if it cannot be read."""
    try:
        with open_regular(path) as file:
            file.seek(max(0, path.stat().st_size - LONGEST_LOG))
            return file.read().decode("utf-8", errors="replace").splitlines()[-count:]
    except OSError:
        return []


def write_report(error: BaseException, argv: Sequence[str] = ()) -> Path:
    """Write the traceback and the circumstances to a file in the log folder and return its path.

    Only its owner can read it, and what says who that is has been taken out.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    now = datetime.now(timezone.utc)
    lines = [
        f"{PRODUCT} {__version__}, {now.isoformat(timespec='seconds')}",
        f"Python {sys.version.split()[0]} on {platform.platform()}",
        f"Arguments: {' '.join(argv) or '(window)'}",
        "",
        *traceback.format_exception(error),
    ]
    folder = PathManager().log_dir
    private_folder(folder)
    path = folder / f"crash-{now:%Y%m%d-%H%M%S-%f}.txt"
    write_private(path, own_redactor({}).clean("\n".join(lines)) + "\n")
    return path
