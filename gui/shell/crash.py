"""No exception is lost and none ends the program: early, for the main thread and for all others."""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType

from PyQt5.QtCore import QObject, pyqtSignal

_log = logging.getLogger(__name__)


class Crashes(QObject):
    """Relays uncaught exceptions to the GUI thread, from whichever thread they come.

    Signals
    -------
    caught
        Carries the exception.
    """

    caught = pyqtSignal(object)

    def install(self) -> None:
        """Take over the hooks; PyQt5 aborts the process on an exception in a slot unless `sys.excepthook` is set."""
        sys.excepthook = self._hook
        threading.excepthook = lambda args: self._hook(args.exc_type, args.exc_value, args.exc_traceback)

    def uninstall(self) -> None:
        """Give the hooks back."""
        sys.excepthook, threading.excepthook = sys.__excepthook__, threading.__excepthook__

    def _hook(self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None = None) -> None:
        if error is None or issubclass(kind, (KeyboardInterrupt, SystemExit)):
            return
        _log.error("Uncaught %s: %s", kind.__name__, error, exc_info=(kind, error, trace))
        self.caught.emit(error)
