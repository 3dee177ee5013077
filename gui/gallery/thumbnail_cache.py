"""Thumbnails on disk, so that a large folder opens at once the next time. QImage only, so that workers may use it."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from pathlib import Path
from typing import Final

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QImage

from gui.theme.tokens import THUMBNAIL
from gui.workers.picture_file import picture_reader, read_picture

QUALITY: Final = 90
LOOKS: Final = 500
"""After so many new thumbnails the size on disk is looked at again."""

KEPT_SHARE: Final = 0.75

_log = logging.getLogger(__name__)


class ThumbnailCache:
    """Keeps thumbnails under a key of path, time and size of their file; safe to share between threads.

    The cache is a convenience: whatever goes wrong with it, the thumbnail is made from the file itself.

    Parameters
    ----------
    folder
        Where they are kept; made when the first one is.
    max_bytes
        Most that is kept, roughly; the oldest go first. May be changed at any time.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self.max_bytes = max_bytes
        self._guard = threading.Lock()
        self._new = LOOKS  # so that the first new one of a session looks

    def load(self, path: str) -> QImage:
        """Return the thumbnail of a file; a null image if the file cannot be shown."""
        place = self._place(path)
        kept = read_picture(place) if place else QImage()
        if not kept.isNull():
            return kept
        image = load_thumbnail(path)
        if place and not image.isNull():
            self._keep(place, image)
        return image

    def prune(self) -> None:
        """Delete the oldest thumbnails if there are too many."""
        found = sorted(_files(self._folder), key=lambda entry: entry.stat().st_mtime)
        used = sum(entry.stat().st_size for entry in found)
        if used <= self.max_bytes:
            return
        for entry in found:
            if used <= KEPT_SHARE * self.max_bytes:
                return
            used -= entry.stat().st_size
            os.unlink(entry.path)

    def _place(self, path: str) -> Path | None:
        try:
            facts = os.stat(path)
        except OSError:
            return None
        text = f"{os.path.abspath(path)}|{facts.st_mtime_ns}|{facts.st_size}|{THUMBNAIL}"
        name = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return self._folder / name[:2] / f"{name}.jpg"

    def _keep(self, place: Path, image: QImage) -> None:
        temporary = place.with_suffix(f".{threading.get_ident()}.tmp")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            if image.save(str(temporary), "JPG", QUALITY):
                os.replace(temporary, place)
            self._look_now_and_then()
        except OSError as error:
            _log.debug("Thumbnail not kept: %s", error)

    def _look_now_and_then(self) -> None:
        with self._guard:
            self._new += 1
            if self._new <= LOOKS:
                return
            self._new = 0
        self.prune()


def load_thumbnail(path: str) -> QImage:
    """Read a file as a small image; a null image if it cannot be read or is absurdly large."""
    reader = picture_reader(path)
    if reader is None or not reader.size().isValid():
        return QImage()
    reader.setAutoTransform(True)
    size = reader.size()
    reader.setScaledSize(size.scaled(QSize(THUMBNAIL, THUMBNAIL), Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()


def _files(folder: Path) -> list[os.DirEntry[str]]:
    found: list[os.DirEntry[str]] = []
    for part in os.scandir(folder):
        if part.is_dir():
            found += [entry for entry in os.scandir(part.path) if entry.is_file()]
    return found
