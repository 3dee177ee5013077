"""Two pictures in one place: the first left of a line, the second right of it."""

from __future__ import annotations

from PyQt5.QtCore import QRectF, Qt
from PyQt5.QtGui import QPainter, QPen
from PyQt5.QtWidgets import QGraphicsItem, QGraphicsRectItem, QWidget

from gui.theme import palette
from gui.widgets.picture_view import PictureView


class WipeView(PictureView):
    """Shows `show_picture`'s picture left of the line and `show_overlay`'s right of it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._share = 0.5
        self._window = QGraphicsRectItem(self._picture)
        self._window.setPen(QPen(Qt.PenStyle.NoPen))
        self._window.setFlag(QGraphicsItem.GraphicsItemFlag.ItemClipsChildrenToShape)
        self._overlay.setParentItem(self._window)

    @property
    def share(self) -> float:
        """How much of the first picture is seen: 0 none, 1 all of it."""
        return self._share

    def set_share(self, share: float) -> None:
        """Move the line."""
        self._share = share
        whole = self._picture.boundingRect()
        line = whole.left() + share * whole.width()
        self._window.setRect(QRectF(line, whole.top(), whole.right() - line, whole.height()))
        self.viewport().update()

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        """Draw the line."""
        if not self.has_picture or not 0 < self._share < 1:
            return
        whole = self._picture.boundingRect()
        x = whole.left() + self._share * whole.width()
        pen = QPen(palette.color("accent"), 2)
        pen.setCosmetic(True)
        painter.setPen(pen)
        painter.drawLine(self._window.rect().topLeft(), self._window.rect().bottomLeft())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color("accent"))
        size = 6 / self.zoom
        painter.drawEllipse(QRectF(x - size, whole.center().y() - size, 2 * size, 2 * size))
