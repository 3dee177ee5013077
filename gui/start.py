"""Starts the window, and says in words why it does not: the first thing that runs, and without Qt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from core.crash import SessionMarker, write_report
from core.utils.path_manager import PathManager
from core.version import PRODUCT, SAFE_MODE

_ERROR_ICON: Final = 0x10


def main(argv: list[str]) -> int:
    """Open the window and return the exit code when it has been closed.

    Parameters
    ----------
    argv
        Nothing, or `core.version.SAFE_MODE`.
    """
    words = SessionMarker(PathManager().log_dir)
    ending = words.begin()
    try:
        from gui.app import main as open_window

        code = open_window(argv, ending)
    except Exception as error:  # noqa: BLE001 - the boundary of the program: there is no window to say it
        tell_outside(explain(error, _report(error)))
        code = 1
    words.end()
    return code


def explain(error: Exception, report: Path | None) -> str:
    """Return why there is no window, in words for whoever has only these."""
    details = f"\n\n{type(error).__name__}: {error}"
    if report:
        details += f"\n\nA report was written to {report}"
    if isinstance(error, ImportError):
        return (
            f"{PRODUCT} cannot open its window: a part of it, or of the system, is missing or damaged."
            "\nRun ./run_isicgui.sh (Windows: run_isicgui.bat), which sets everything up, "
            f"or see what is missing with: {sys.executable} main.py doctor{details}"
        )
    return (
        f"{PRODUCT} could not be started."
        f"\nTry: {sys.executable} main.py {SAFE_MODE}   (default settings, no graphics card){details}"
    )


def tell_outside(words: str) -> None:
    """Say something without a window: on standard error, and where nobody sees that, in a box of the system."""
    if sys.stderr:
        print(words, file=sys.stderr)  # noqa: T201 - there is nothing else to say it with
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.user32.MessageBoxW(None, words, PRODUCT, _ERROR_ICON)


def _report(error: Exception) -> Path | None:
    try:
        return write_report(error)
    except OSError:
        return None
