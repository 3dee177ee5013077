"""Draws one thumbnail of the gallery: picture or placeholder, class and number."""

from __future__ import annotations

from PyQt5.QtCore import QModelIndex, QRect, QSize, Qt
from PyQt5.QtGui import QPainter
from PyQt5.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from gui.state.gallery import GalleryModel
from gui.theme import palette
from gui.theme.icons import icon
from gui.theme.tokens import GRID, RADIUS, THUMBNAIL
from gui.workers.scan import GalleryItem

CAPTION = 18
CELL = QSize(THUMBNAIL + 2 * GRID, THUMBNAIL + CAPTION + 2 * GRID)


class ThumbnailDelegate(QStyledItemDelegate):
    """Paints straight from the model; every cell has the same size."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Return the size of every cell."""
        return CELL

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw a cell."""
        model = index.model()
        if not isinstance(model, GalleryModel):
            return
        item: GalleryItem = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        self._draw_ground(painter, option)
        inner = option.rect.adjusted(GRID, GRID, -GRID, -GRID)
        square = QRect(inner.left(), inner.top(), THUMBNAIL, THUMBNAIL)
        self._draw_picture(painter, square, model, item)
        self._draw_caption(painter, inner, item)
        painter.restore()

    def _draw_ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        state = option.state
        if not state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.setPen(palette.color("accent") if selected else Qt.PenStyle.NoPen)
        painter.setBrush(palette.color("selection" if selected else "window"))
        painter.drawRoundedRect(option.rect.adjusted(1, 1, -1, -1), RADIUS, RADIUS)

    def _draw_picture(self, painter: QPainter, square: QRect, model: GalleryModel, item: GalleryItem) -> None:
        pixmap = model.thumbnail(item)
        if pixmap is not None:
            area = QRect(square.topLeft(), pixmap.size())
            area.moveCenter(square.center())
            painter.drawPixmap(area, pixmap)
            return
        painter.fillRect(square, palette.color("hairline"))
        if model.thumbnails.is_broken(item.path):
            icon("broken", "muted").paint(painter, square.adjusted(32, 32, -32, -32))

    def _draw_caption(self, painter: QPainter, inner: QRect, item: GalleryItem) -> None:
        area = QRect(inner.left(), inner.bottom() - CAPTION + 1, inner.width(), CAPTION)
        painter.setPen(palette.color("muted"))
        short = item.name.removeprefix("ISIC_").lstrip("0") or item.name
        text = painter.fontMetrics().elidedText(f"{item.class_code} {short}", Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter), text)
