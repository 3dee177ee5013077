"""Tells Qt where its plugins lie, because PyQt5 does so only for paths in Latin letters."""

from __future__ import annotations

from pathlib import Path

import PyQt5
from PyQt5.QtCore import QCoreApplication


def use_own_plugins() -> None:
    """Let Qt find the plugins that PyQt5 brings; to be called before the application object is made.

    PyQt5 passes its folder to Qt as Latin-1. Installed below a path with other letters (a user called Юлия), Qt would
    look for its platform plugin in a folder of question marks and abort the process.
    """
    QCoreApplication.addLibraryPath(str(Path(PyQt5.__file__).parent / "Qt5" / "plugins"))
