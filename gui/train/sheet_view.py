"""A picture from a file, fitted into the room there is; read beside the GUI thread."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PyQt5.QtCore import QRectF, QSize, Qt
from PyQt5.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent
from PyQt5.QtWidgets import QSizePolicy, QWidget

from gui.common.desktop import open_path
from gui.theme import palette
from gui.theme.tokens import GAP_SMALL, RADIUS
from gui.workers.picture_file import read_picture
from gui.workers.task import TaskRunner


class SheetView(QWidget):
    """Shows one picture on the neutral grey; a click opens it in the system's viewer.

    Parameters
    ----------
    empty
        What stands there while there is no picture.
    """

    def __init__(self, name: str, empty: str) -> None:
        super().__init__()
        self._tasks = TaskRunner(1, self)
        self._empty = empty
        self._image: QImage | None = None
        self._wanted: tuple[Path, int] | None = None
        self.path: Path | None = None
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setMinimumSize(160, 130)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def image(self) -> QImage | None:
        """What is shown."""
        return self._image

    def sizeHint(self) -> QSize:
        """Ask for a square."""
        return QSize(240, 220)

    def show_file(self, path: Path | None, version: int = 0) -> None:
        """Show a picture as soon as it is read.

        Parameters
        ----------
        version
            Another number reads the same path again.
        """
        if path is None:
            self.path, self._image, self._wanted = None, None, None
            self.update()
        elif self._wanted != (path, version):
            self._wanted = (path, version)
            wanted = self._wanted
            self._tasks.start(lambda: read_picture(path), partial(self._take, wanted), lambda error: None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Open the picture."""
        if self.path and event.button() == Qt.MouseButton.LeftButton:
            open_path(self.path)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture whole, or the words that stand for it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._image is None:
            painter.setPen(palette.color("muted"))
            painter.drawText(self.rect().adjusted(GAP_SMALL, GAP_SMALL, -GAP_SMALL, -GAP_SMALL), _WRAPPED, self._empty)
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color("picture"))
        painter.drawRoundedRect(self.rect(), RADIUS, RADIUS)
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(left, top, size.width(), size.height()), self._image)

    def _take(self, wanted: tuple[Path, int], image: QImage) -> None:
        if wanted == self._wanted and not image.isNull():
            self.path, self._image = wanted[0], image
            self.update()


_WRAPPED = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
