"""Opening a picture for the window: only regular files, and only by the decoders that the program knows."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PyQt5.QtGui import QImage, QImageReader

from core.files.opening import MAX_PIXELS, open_regular

_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", b"png"),
    (b"\xff\xd8\xff", b"jpg"),
    (b"BM", b"bmp"),
    (b"II*\0", b"tiff"),
    (b"MM\0*", b"tiff"),
)
_WEBP: Final = (b"RIFF", b"WEBP")
"""At the beginning, and behind the four bytes of the length that follow."""

_LONGEST: Final = 12


def picture_reader(path: str | Path) -> QImageReader | None:
    """Return a reader of a picture that is not too large to be shown, or None.

    Qt would choose a decoder by the name and wait for a pipe; here the first bytes of a regular file decide.
    """
    try:
        with open_regular(Path(path)) as stream:
            start = stream.read(_LONGEST)
    except (OSError, ValueError):
        return None
    form = next((form for signature, form in _SIGNATURES if start.startswith(signature)), None)
    if (start[:4], start[8:]) == _WEBP:
        form = b"webp"
    if form is None:
        return None
    reader = QImageReader(str(path), form)
    reader.setAutoDetectImageFormat(False)
    size = reader.size()
    return reader if not size.isValid() or size.width() * size.height() <= MAX_PIXELS else None


def read_picture(path: str | Path) -> QImage:
    """Return a picture; a null image if it cannot be shown."""
    reader = picture_reader(path)
    return QImage() if reader is None else reader.read()
