"""A command that a window has started ends when the window asks it to, and when the window is gone.

The window holds the writing end of the command's standard input. A line ``stop`` stands for Ctrl-C, which no other
program can press on Windows; the end of the stream says that the window has ended, however it ended.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Final

VARIABLE: Final = "ISICGUI_LEASH"
"""Environment variable by which the window says that it holds the leash."""

STOP: Final = b"stop\n"
INTERRUPTED: Final = 130

GRACE: Final = 20.0
"""Seconds that a command gets to keep what it has finished, once its window has gone."""


def obey_leash(grace: float = GRACE) -> bool:
    """Listen to the window that has started this process; return whether there is one.

    Called once, in the main thread, before anything that takes long.
    """
    if os.environ.pop(VARIABLE, "") != "stdin":  # taken out: what this process starts is not held by it
        return False
    threading.Thread(target=_listen, args=(_take_stdin(), grace), name="leash", daemon=True).start()
    return True


def _take_stdin() -> int:
    """Keep standard input for the leash alone: a child process that inherits a pipe being read may hang on Windows."""
    own = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return own


def _listen(stream: int, grace: float) -> None:
    # os.read, not sys.stdin: a thread that holds the lock of a file object lets the interpreter crash at its end
    while read := os.read(stream, 64):
        if STOP in read:
            _interrupt()
    _interrupt()
    threading.Event().wait(grace)
    os._exit(INTERRUPTED)


def _interrupt() -> None:
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGINT)  # runs Python's handler in the main thread, and wakes it from its sleep
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
