"""Pictures in the clipboard: as a picture for editors, and as files for file managers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PyQt5.QtCore import QMimeData, QUrl
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QApplication, QPlainTextEdit, QTextEdit

from gui.common.picture import Picture
from gui.widgets.images import to_qimage

__all__ = ["copy_chosen_text", "copy_pictures", "mime_of"]

COPIED_FILES: Final = "x-special/gnome-copied-files"
"""What file managers of GNOME and its relatives take files from; others take the addresses."""


def copy_pictures(files: Sequence[Path], shown: Picture | None) -> None:
    """Put files into the clipboard, and the pixels of the shown picture if it is one of them."""
    QGuiApplication.clipboard().setMimeData(mime_of(files, shown))


def mime_of(files: Sequence[Path], shown: Picture | None) -> QMimeData:
    """Return what `copy_pictures` puts into the clipboard; no text, which an editor might take for the picture."""
    data = QMimeData()
    urls = [QUrl.fromLocalFile(str(file)) for file in files]
    data.setUrls(urls)
    lines = ["copy", *(bytes(url.toEncoded()).decode("ascii") for url in urls)]
    data.setData(COPIED_FILES, "\n".join(lines).encode("ascii"))
    if shown is not None and shown.path in files:
        data.setImageData(to_qimage(shown.pixels))
    return data


def copy_chosen_text() -> bool:
    """Copy the chosen text of the field that has the focus; return whether there was any."""
    field = QApplication.focusWidget()
    if isinstance(field, (QPlainTextEdit, QTextEdit)) and field.textCursor().hasSelection():
        field.copy()
        return True
    return False
