"""One logging set-up: a rotating file, the console, and a ring in memory that the window shows.

Everywhere else a logger is `logging.getLogger(__name__)`.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from core import ROOMS
from core.files.own import open_private, private_folder, tighten
from core.utils.path_manager import PathManager

FILE_NAME: Final = "isicgui.log"
FILE_BYTES: Final = 2_000_000
FILE_BACKUPS: Final = 3
RING_SIZE: Final = 2000

_OWN_FILES: Final = (f"{FILE_NAME}*", "crash-*.txt", "session-*")
_FORMAT: Final = "%(asctime)s %(levelname)-8s %(name)s: %(message)s"
_log = logging.getLogger(__name__)

Listener = Callable[[logging.LogRecord], None]


class IsoFormatter(logging.Formatter):
    """Time stamps as ISO 8601 with milliseconds and the offset from UTC: ``2026-01-31T12:00:00.123+03:00``."""

    def __init__(self) -> None:
        super().__init__(_FORMAT)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: D102 - inherited
        moment = datetime.fromtimestamp(record.created).astimezone()
        return moment.strftime(datefmt) if datefmt else moment.isoformat(timespec="milliseconds")


class RingHandler(logging.Handler):
    """Keeps the latest records in memory and tells listeners of each new one.

    Listeners are called in the thread that logged, so a window relays them by a signal.

    Parameters
    ----------
    capacity
        How many records are kept.
    """

    def __init__(self, capacity: int = RING_SIZE) -> None:
        super().__init__()
        self._records: deque[logging.LogRecord] = deque(maxlen=capacity)
        self._listeners: list[Listener] = []
        self._guard = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep `record` and pass it on."""
        with self._guard:
            self._records.append(record)
            listeners = tuple(self._listeners)
        for listener in listeners:
            self._tell(listener, record)

    def records(self) -> tuple[logging.LogRecord, ...]:
        """Return the kept records, oldest first."""
        with self._guard:
            return tuple(self._records)

    def add_listener(self, listener: Listener) -> None:
        """Call `listener` with every further record."""
        with self._guard:
            self._listeners.append(listener)

    def remove_listener(self, listener: Listener) -> None:
        """Stop calling `listener`; one that was never added is no error."""
        with self._guard:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def _tell(self, listener: Listener, record: logging.LogRecord) -> None:
        try:
            listener(record)
        except Exception:  # noqa: BLE001 - a broken listener must not break whoever logs: logging's own convention
            self.handleError(record)


class QuietFileHandler(logging.FileHandler):  # not an exception
    """A log file that loses records where its disk is full or its size limited, rather than disturb what is logged."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Lose the record: standard error is for what a person can act on."""

    def close(self) -> None:
        """Close the file, with or without what it could not take."""
        with suppress(OSError):
            super().close()


class PrivateFileHandler(QuietFileHandler, RotatingFileHandler):
    """A rotating log file that only its owner can read; a link or a pipe in its place is refused."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path, maxBytes=FILE_BYTES, backupCount=FILE_BACKUPS, encoding="utf-8", errors="backslashreplace"
        )

    def _open(self) -> TextIOWrapper:
        fd = open_private(Path(self.baseFilename), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return TextIOWrapper(os.fdopen(fd, "ab"), encoding=self.encoding, errors=self.errors)


@dataclass(frozen=True)
class LoggingSetup:
    """What `setup_logging` set up.

    Attributes
    ----------
    file
        The log file, or None where its folder cannot be written.
    ring
        The records in memory.
    """

    file: Path | None
    ring: RingHandler


def setup_logging(*, console: bool, level: int = logging.INFO, log_dir: Path | None = None) -> LoggingSetup:
    """Send the product's records to a rotating file, a ring in memory and, if asked, standard error.

    Records of other libraries pass from WARNING on. Calling it again replaces the previous set-up.

    Parameters
    ----------
    console
        Write to standard error too.
    level
        Lowest level of the product's own records that is kept.
    log_dir
        Folder of the log file; the user's log folder unless told otherwise.
    """
    shutdown_logging()
    ring = RingHandler()
    handlers: list[logging.Handler] = [ring]
    if console:
        handlers.append(logging.StreamHandler())
    file_handler, problem = _open_file(log_dir or PathManager().log_dir)
    if file_handler:
        handlers.append(file_handler)
    _install(handlers, level)
    if problem:
        _log.warning("No log file is kept: %s", problem)
    return LoggingSetup(Path(file_handler.baseFilename) if file_handler else None, ring)


def shutdown_logging() -> None:
    """Remove and close what `setup_logging` installed."""
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h.formatter, IsoFormatter)]:
        root.removeHandler(handler)
        handler.close()
    for room in ROOMS:
        logging.getLogger(room).setLevel(logging.NOTSET)


def _open_file(folder: Path) -> tuple[RotatingFileHandler | None, OSError | None]:
    try:
        private_folder(folder)
        tighten(path for pattern in _OWN_FILES for path in folder.glob(pattern))
        handler = PrivateFileHandler(folder / FILE_NAME)
    except OSError as problem:
        return None, problem
    return handler, None


def _install(handlers: list[logging.Handler], level: int) -> None:
    root = logging.getLogger()
    formatter = IsoFormatter()
    for handler in handlers:
        handler.setFormatter(formatter)
        root.addHandler(handler)
    for room in ROOMS:
        logging.getLogger(room).setLevel(level)
