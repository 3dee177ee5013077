"""No exception is lost and none ends the program: early, before Qt, for the main thread and for all others."""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
from types import TracebackType
from typing import IO

from PyQt5.QtCore import QObject, pyqtSignal

from core.utils.path_manager import PathManager

FAULT_FILE = "faults.log"

_log = logging.getLogger(__name__)


class Crashes(QObject):
    """Relays uncaught exceptions to the GUI thread, from whichever thread they come.

    Signals
    -------
    caught
        Carries the exception.
    """

    caught = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self._fault_file: IO[str] | None = None

    def install(self) -> None:
        """Take over the hooks; PyQt5 aborts the process on an exception in a slot unless `sys.excepthook` is set."""
        self._fault_file = _open_fault_file()
        if self._fault_file:
            faulthandler.enable(self._fault_file)
        sys.excepthook = self._hook
        threading.excepthook = lambda args: self._hook(args.exc_type, args.exc_value, args.exc_traceback)

    def uninstall(self) -> None:
        """Give the hooks back."""
        sys.excepthook, threading.excepthook = sys.__excepthook__, threading.__excepthook__
        if self._fault_file:
            faulthandler.disable()
            self._fault_file.close()
            self._fault_file = None

    def _hook(self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None = None) -> None:
        if error is None or issubclass(kind, (KeyboardInterrupt, SystemExit)):
            return
        _log.error("Uncaught %s: %s", kind.__name__, error, exc_info=(kind, error, trace))
        self.caught.emit(error)


def _open_fault_file() -> IO[str] | None:
    folder = PathManager().log_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / FAULT_FILE).open("a", encoding="utf-8")
    except OSError:
        return None
