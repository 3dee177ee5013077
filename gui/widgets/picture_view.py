"""A picture on neutral grey: zoom down to single pixels, drag, and a second picture faded over it."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import Final

from PyQt5.QtCore import QEvent, Qt, pyqtSignal
from PyQt5.QtGui import QMouseEvent, QPainter, QPixmap, QResizeEvent, QTransform, QWheelEvent
from PyQt5.QtWidgets import QFrame, QGraphicsPixmapItem, QGraphicsScene, QGraphicsView, QWidget

from gui.theme import palette

MAX_ZOOM: Final = 64.0
MIN_ZOOM: Final = 0.05
STEP: Final = 1.25
PIXELS_FROM: Final = 8.0
"""From this magnification on single pixels are shown as squares; below, they are smoothed unless told otherwise."""

FIT_MARGIN: Final = 0.96


@dataclass(frozen=True, slots=True)
class Place:
    """Which part of a picture is seen, whatever the picture's resolution.

    Attributes
    ----------
    fits
        Whether all of it is to be seen, however large the view is.
    span
        Width of the whole picture in screen pixels.
    x, y
        The point in the middle of the view, 0..1 of width and height.
    """

    fits: bool
    span: float
    x: float
    y: float


class PictureView(QGraphicsView):
    """Shows one picture.

    Signals
    -------
    zoomed
        Carries the magnification: screen pixels per picture pixel.
    placed
        Another part of the picture is seen; carries the `Place`.
    activated
        The picture was double-clicked.
    hovered
        The pointer is over a pixel of the picture, or no longer over it; carries (x, y) or None.
    """

    hovered = pyqtSignal(object)
    zoomed = pyqtSignal(float)
    placed = pyqtSignal(object)
    activated = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        scene = QGraphicsScene(self)
        self._picture = QGraphicsPixmapItem()
        self._overlay = QGraphicsPixmapItem(self._picture)
        scene.addItem(self._picture)
        self.setScene(scene)
        self._fits = True
        self._pixels = False
        self._is_placing = False
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.show_ground()
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self.setMinimumSize(160, 120)
        self.setAcceptDrops(False)
        self.setMouseTracking(True)
        for bar in (self.horizontalScrollBar(), self.verticalScrollBar()):
            bar.valueChanged.connect(self._tell_place)

    @property
    def has_picture(self) -> bool:
        """Whether there is anything to see."""
        return not self._picture.pixmap().isNull()

    def show_picture(self, pixmap: QPixmap | None) -> None:
        """Show a picture, or nothing; a picture of the same size keeps zoom and place."""
        pixmap = pixmap or QPixmap()
        same_size = pixmap.size() == self._picture.pixmap().size()
        self._picture.setPixmap(pixmap)
        self._overlay.setPixmap(QPixmap())
        if not same_size:
            self.setSceneRect(self._picture.boundingRect())
            self.fit()

    def show_overlay(self, pixmap: QPixmap | None) -> None:
        """Lay a second picture, of any resolution, exactly over the first."""
        pixmap = pixmap or QPixmap()
        self._overlay.setPixmap(pixmap)
        if not pixmap.isNull() and self.has_picture:
            self._overlay.setScale(self._picture.pixmap().width() / pixmap.width())
        self._smooth()

    def show_ground(self) -> None:
        """Show the chosen ground; squares keep their size on the screen at every magnification."""
        brush = palette.ground_brush()
        brush.setTransform(QTransform.fromScale(1 / self.zoom, 1 / self.zoom))
        self.setBackgroundBrush(brush)

    def set_overlay_opacity(self, opacity: float) -> None:
        """Fade the second picture, 0..1."""
        self._overlay.setOpacity(opacity)

    def set_pixels(self, shown: bool) -> None:
        """Show single pixels at every magnification, instead of smoothing low ones."""
        self._pixels = shown
        self._smooth()

    def fit(self) -> None:
        """Show the whole picture, as large as it goes, and keep it so when the window changes."""
        self._fits = True
        if not self.has_picture:
            return
        size = self._picture.pixmap().size()
        room = self.viewport().size()
        self._set_zoom(min(room.width() / size.width(), room.height() / size.height()) * FIT_MARGIN)

    def zoom_by(self, factor: float) -> None:
        """Magnify or shrink."""
        self.zoom_to(self.zoom * factor)

    def zoom_to(self, zoom: float) -> None:
        """Set the magnification."""
        self._fits = False
        self._set_zoom(zoom)

    @property
    def zoom(self) -> float:
        """Screen pixels per picture pixel."""
        return self.transform().m11()

    def place(self) -> Place:
        """Return which part of the picture is seen."""
        size = self._picture.boundingRect()
        middle = self.mapToScene(self.viewport().rect().center())
        width, height = max(1.0, size.width()), max(1.0, size.height())
        return Place(self._fits, self.zoom * width, middle.x() / width, middle.y() / height)

    def show_place(self, place: Place) -> None:
        """Show the part that another view shows, without telling of it."""
        if not self.has_picture:
            return
        self._is_placing = True
        size = self._picture.boundingRect()
        self._fits = place.fits
        self._set_zoom(place.span / size.width())
        self.centerOn(place.x * size.width(), place.y * size.height())
        self._is_placing = False

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer."""
        if self.has_picture:
            self.zoom_by(STEP ** (event.angleDelta().y() / 120))
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep fitting, if the picture did fit."""
        super().resizeEvent(event)
        if self._fits:
            self.fit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell which pixel the pointer is over."""
        super().mouseMoveEvent(event)
        place = self.mapToScene(event.pos())
        x, y = floor(place.x()), floor(place.y())
        size = self._picture.pixmap().size()
        self.hovered.emit((x, y) if 0 <= x < size.width() and 0 <= y < size.height() else None)

    def leaveEvent(self, event: QEvent) -> None:
        """Tell that the pointer has gone."""
        super().leaveEvent(event)
        self.hovered.emit(None)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Tell whoever listens."""
        if self.has_picture:
            self.activated.emit()
        super().mouseDoubleClickEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.show_ground()

    def _set_zoom(self, zoom: float) -> None:
        zoom = max(MIN_ZOOM, min(MAX_ZOOM, zoom))
        before, self._is_placing = self._is_placing, True
        self.resetTransform()
        self.scale(zoom, zoom)
        self._is_placing = before
        self.show_ground()
        self._smooth()
        self.zoomed.emit(zoom)
        self._tell_place()

    def _tell_place(self) -> None:
        if not self._is_placing and self.has_picture:
            self.placed.emit(self.place())

    def _smooth(self) -> None:
        squares = self.zoom >= PIXELS_FROM or (self._pixels and self.zoom > 1)
        mode = Qt.TransformationMode
        wanted = mode.FastTransformation if squares else mode.SmoothTransformation
        self._picture.setTransformationMode(wanted)
        self._overlay.setTransformationMode(wanted)
