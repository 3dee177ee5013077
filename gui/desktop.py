"""Opens files and folders in whatever program the desktop has for them."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QUrl
from PyQt5.QtGui import QDesktopServices


def open_path(path: Path) -> bool:
    """Open a file, or a folder (its nearest parent that exists); tell whether the desktop took it."""
    existing = next((place for place in (path, *path.parents) if place.exists()), None)
    return existing is not None and QDesktopServices.openUrl(QUrl.fromLocalFile(str(existing)))
