"""The tour: dims the window but for one control, and tells what that is for."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PyQt5.QtWidgets import QDockWidget, QMainWindow, QWidget

from gui.help.coach_mark import CoachMark
from gui.help.stops import Stop
from gui.theme import palette
from gui.theme.tokens import GAP_SMALL, GRID, RADIUS

DIM = 120
"""How dark the rest of the window becomes, 0..255."""


class Tour(QWidget):
    """Lies over a window and points at one stop after the other.

    Signals
    -------
    ended
        The last stop was left, or the tour was skipped; the tour is gone then.
    """

    ended = pyqtSignal()

    def __init__(self, window: QMainWindow, stops: Sequence[Stop]) -> None:
        super().__init__(window)
        self._window, self._stops = window, stops
        self._number = 0
        self._focus_before = window.focusWidget()
        self.mark = CoachMark(self)
        self.mark.next_asked.connect(self.go_on)
        self.mark.back_asked.connect(self.go_back)
        self.mark.skip_asked.connect(self.end)
        window.installEventFilter(self)
        self.setGeometry(window.rect())
        self.show()
        self.raise_()
        self._show_stop()

    @property
    def stop(self) -> Stop:
        """Where the tour is."""
        return self._stops[self._number]

    def go_on(self) -> None:
        """Go to the next stop, or end."""
        if self._number + 1 == len(self._stops):
            self.end()
        else:
            self._number += 1
            self._show_stop()

    def go_back(self) -> None:
        """Go to the stop before."""
        self._number = max(0, self._number - 1)
        self._show_stop()

    def end(self) -> None:
        """Leave the window as it was."""
        self._window.removeEventFilter(self)
        self.hide()
        if self._focus_before and self._focus_before.isVisible():
            self._focus_before.setFocus()
        self.ended.emit()
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the window when it changes its size."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            QTimer.singleShot(0, self._place)
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Dim everything but the control, and put a frame around it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        hole = QPainterPath()
        hole.addRoundedRect(QRectF(self.target()), RADIUS, RADIUS)
        around = QPainterPath()
        around.addRect(QRectF(self.rect()))
        shade = palette.color("shade")
        shade.setAlpha(DIM)
        painter.fillPath(around.subtracted(hole), shade)
        painter.setPen(QPen(palette.color("accent"), 3))
        painter.drawPath(hole)

    def target(self) -> QRect:
        """Return where the control lies, with a little room around it."""
        anchor = self.stop.anchor()
        where = QRect(anchor.mapTo(self._window, QPoint()), anchor.size())
        return where.adjusted(-GRID, -GRID, GRID, GRID).intersected(self.rect())

    def _show_stop(self) -> None:
        _bring_up(self.stop.anchor())
        self.mark.show_stop(self.stop, self._number + 1, len(self._stops))
        self._place()
        self.mark.next.setFocus(Qt.FocusReason.OtherFocusReason)
        QTimer.singleShot(0, self._place)  # a panel that was brought up has its place only now

    def _place(self) -> None:
        self.setGeometry(self._window.rect())
        self.mark.adjustSize()
        self.mark.move(place_beside(self.target(), self.mark.rect(), self.rect()))
        self.update()


def place_beside(target: QRect, mark: QRect, room: QRect) -> QPoint:
    """Return where a note goes so that it covers as little of its target as there is room for.

    Right of it, left of it, below, above: the first place where all of the note is inside the room; else in the middle.
    """
    gap = GAP_SMALL
    places = (
        QPoint(target.right() + gap, target.top()),
        QPoint(target.left() - gap - mark.width(), target.top()),
        QPoint(target.left(), target.bottom() + gap),
        QPoint(target.left(), target.top() - gap - mark.height()),
    )
    for place in places:
        moved = QPoint(
            max(gap, min(place.x(), room.right() - mark.width() - gap)),
            max(gap, min(place.y(), room.bottom() - mark.height() - gap)),
        )
        if not QRect(moved, mark.size()).intersects(target):
            return moved
    return room.center() - mark.center()


def _bring_up(anchor: QWidget) -> None:
    """Show the panel that a control lies in, if it was closed."""
    parent: QObject | None = anchor
    while parent is not None:
        if isinstance(parent, QDockWidget) and not parent.isVisible():
            parent.show()
        parent = parent.parent()
