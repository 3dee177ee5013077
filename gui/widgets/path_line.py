"""A field for a path, into which a file or a folder can be dropped."""

from __future__ import annotations

from PyQt5.QtCore import QMimeData
from PyQt5.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PyQt5.QtWidgets import QLineEdit


class PathLine(QLineEdit):
    """Takes the path of what is dropped in place of what it holds; Qt would put an address into the middle of it."""

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome what lies on this computer."""
        if _local(event.mimeData()):
            event.acceptProposedAction()
        else:
            super().dragEnterEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Show no place to insert at: all of it is replaced."""
        if _local(event.mimeData()):
            event.acceptProposedAction()
        else:
            super().dragMoveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Hold the path, as if somebody had typed it and left the field."""
        path = _local(event.mimeData())
        if not path:
            super().dropEvent(event)
            return
        event.acceptProposedAction()
        self.setText(path)
        self.setModified(True)
        self.editingFinished.emit()


def _local(data: QMimeData | None) -> str:
    """Return the first path on this computer, or nothing."""
    urls = data.urls() if data else []
    return next((url.toLocalFile() for url in urls if url.isLocalFile()), "")
