"""Opens files and folders in whatever program the desktop has for them."""

from __future__ import annotations

import logging
from pathlib import Path

from PyQt5.QtCore import QUrl
from PyQt5.QtGui import QDesktopServices

_log = logging.getLogger(__name__)


def open_path(path: Path) -> None:
    """Open a file or folder, or its nearest parent that exists; a desktop without a program for it is logged."""
    existing = next((place for place in (path, *path.parents) if place.exists()), path)
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(existing))):
        _log.warning("The desktop has no program to open %s", existing)
