"""Draws one thumbnail of the gallery: picture or placeholder, class and number, rating."""

from __future__ import annotations

from PyQt5.QtCore import QModelIndex, QRect, QSize, Qt
from PyQt5.QtGui import QPainter
from PyQt5.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from dataset.ratings import Rating
from gui.gallery.gallery import GalleryModel
from gui.gallery.scan import GalleryItem
from gui.theme import palette
from gui.theme.icons import icon
from gui.theme.tokens import GRID, RADIUS, THUMBNAIL

CAPTION = 18
CELL = QSize(THUMBNAIL + 2 * GRID, THUMBNAIL + CAPTION + 2 * GRID)
REJECTED_OPACITY = 0.3
STAR = "★"


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
        rating = model.rating(item)
        painter.save()
        self._draw_ground(painter, option)
        inner = option.rect.adjusted(GRID, GRID, -GRID, -GRID)
        square = QRect(inner.left(), inner.top(), THUMBNAIL, THUMBNAIL)
        painter.setOpacity(REJECTED_OPACITY if rating.rejected else 1.0)
        self._draw_picture(painter, square, model, item)
        painter.setOpacity(1.0)
        if rating.rejected:
            icon("rejected", "text").paint(painter, square.adjusted(32, 32, -32, -32))
        self._draw_caption(painter, inner, item, rating)
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

    def _draw_caption(self, painter: QPainter, inner: QRect, item: GalleryItem, rating: Rating) -> None:
        area = QRect(inner.left(), inner.bottom() - CAPTION + 1, inner.width(), CAPTION)
        stars = f"{rating.stars}{STAR}" if rating.stars else ""
        painter.setPen(palette.color("accent"))
        painter.drawText(area, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), stars)
        metrics = painter.fontMetrics()
        if stars:
            area.setRight(area.right() - metrics.horizontalAdvance(stars) - GRID)
        painter.setPen(palette.color("muted"))
        text = metrics.elidedText(short_name(item), Qt.TextElideMode.ElideRight, area.width())
        side = Qt.AlignmentFlag.AlignLeft if stars else Qt.AlignmentFlag.AlignHCenter
        painter.drawText(area, int(side | Qt.AlignmentFlag.AlignVCenter), text)


def short_name(item: GalleryItem) -> str:
    """Return class and number, or class and file name of a file that has no number."""
    short = item.name.removeprefix("ISIC_").lstrip("0") or item.name
    return f"{item.class_code} {short}"
