"""Curves over the work done so far, with named axes, a legend and a reading under the mouse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PyQt5.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt5.QtWidgets import QSizePolicy, QWidget

from gui.i18n import tr
from gui.i18n.numbers import number
from gui.theme import palette
from gui.theme.tokens import GAP_SMALL, GRID
from gui.train.axis import extent, tick_texts, ticks
from gui.train.curves import Curve

TOKENS: Final = ("accent", "doubt", "evidence", "none")
STYLES: Final = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DashDotLine,
    Qt.PenStyle.DotLine,
)
"""Colours and dashes go together: nobody has to tell curves apart by colour alone."""

FEW: Final = 40
"""Up to so many points each of them is marked."""

BAND_ALPHA: Final = 48
SMALL: Final = 10.0
"""Values below are told with three decimals, others with one."""

SMALLEST: Final = (260, 130)


class CurvePlot(QWidget):
    """Draws a handful of curves; computes nothing but where they go.

    Parameters
    ----------
    x_name, y_name
        What the axes show, with the unit where there is one.
    from_zero
        Whether the y axis begins at 0.
    """

    def __init__(self, x_name: str, y_name: str, *, from_zero: bool = False) -> None:
        super().__init__()
        self._x_name, self._y_name, self._from_zero = x_name, y_name, from_zero
        self._curves: tuple[Curve, ...] = ()
        self._empty = tr("Nothing measured yet")
        self._reading: float | None = None
        self.setMouseTracking(True)
        self.setMinimumSize(*SMALLEST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(y_name)

    @property
    def curves(self) -> tuple[Curve, ...]:
        """What is drawn."""
        return self._curves

    def show_curves(self, curves: Sequence[Curve], y_name: str | None = None) -> None:
        """Draw other curves."""
        self._y_name = self._y_name if y_name is None else y_name
        self._curves = tuple(curve for curve in curves if curve.xs)
        self.setAccessibleName(self._y_name)
        self.setAccessibleDescription("; ".join(map(_last_words, self._curves)) or self._empty)
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for a wide strip."""
        return QSize(420, 180)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the curves at the place of the mouse."""
        self._reading = event.localPos().x()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Read no longer."""
        self._reading = None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw axes, curves, legend and reading."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = self._frame()
        if not self._curves:
            painter.setPen(palette.color("muted"))
            painter.drawText(frame, int(Qt.AlignmentFlag.AlignCenter), self._empty)
            return
        x_range, y_range = self._ranges()
        self._draw_axes(painter, frame, x_range, y_range)
        for index, curve in enumerate(self._curves):
            _draw_curve(painter, curve, _Map(frame, x_range, y_range), index)
        self._draw_names(painter, frame)
        self._draw_legend(painter, frame, _Map(frame, x_range, y_range))

    def _ranges(self) -> tuple[tuple[float, float], tuple[float, float]]:
        xs = [x for curve in self._curves for x in (curve.xs[0], curve.xs[-1])]
        ys = [y for curve in self._curves for part in (curve.ys, curve.lows, curve.highs) for y in part]
        return extent(xs, from_zero=True), extent(ys, from_zero=self._from_zero)

    def _frame(self) -> QRectF:
        metrics = self.fontMetrics()
        left, line = metrics.horizontalAdvance("0.00000") + GAP_SMALL, metrics.height()
        area = QRectF(self.rect())
        return area.adjusted(left, 2 * line + GAP_SMALL, -GAP_SMALL, -(2 * line + GRID))

    def _draw_axes(
        self, painter: QPainter, frame: QRectF, x_range: tuple[float, float], y_range: tuple[float, float]
    ) -> None:
        metrics, place = painter.fontMetrics(), _Map(frame, x_range, y_range)
        rows = ticks(*y_range, max(2, int(frame.height() // (2 * metrics.height()))))
        columns = ticks(*x_range, max(2, int(frame.width() // metrics.horizontalAdvance("000000000"))))
        for mark, text in zip(rows, tick_texts(rows), strict=True):
            y = place.point(x_range[0], mark).y()
            painter.setPen(QPen(palette.color("hairline"), 1))
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            box = QRectF(0, y - metrics.height() / 2, frame.left() - GRID, metrics.height())
            painter.setPen(palette.color("muted"))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), text)
        for mark, text in zip(columns, tick_texts(columns), strict=True):
            x = place.point(mark, y_range[0]).x()
            width = metrics.horizontalAdvance(text)
            left = min(x - width / 2, self.width() - width)
            painter.drawText(QPointF(left, frame.bottom() + metrics.ascent() + GRID / 2), text)

    def _draw_names(self, painter: QPainter, frame: QRectF) -> None:
        line = painter.fontMetrics().height()
        painter.setPen(palette.color("muted"))
        below = QRectF(frame.left(), self.height() - line, frame.width(), line)
        painter.drawText(below, int(Qt.AlignmentFlag.AlignRight), self._x_name)
        painter.setPen(palette.color("text"))
        painter.drawText(QRectF(0, 0, self.width(), line), int(Qt.AlignmentFlag.AlignLeft), self._y_name)

    def _draw_legend(self, painter: QPainter, frame: QRectF, place: _Map) -> None:
        """Name the curves and their values above them: the last ones, or those under the mouse."""
        metrics = painter.fontMetrics()
        x, left, top = self._x_read(place), 0.0, frame.top() - metrics.height() - GRID
        for index, curve in enumerate(self._curves):
            text = _words_at(curve, x, is_named=len(self._curves) > 1)
            middle = QPointF(left, top + metrics.height() / 2)
            painter.setPen(_pen(index))
            painter.drawLine(middle, middle + QPointF(2 * GAP_SMALL, 0))
            painter.setPen(palette.color("text"))
            painter.drawText(QPointF(left + 2 * GAP_SMALL + GRID, top + metrics.ascent()), text)
            left += metrics.horizontalAdvance(text) + 4 * GAP_SMALL + GRID
        if x is not None and self._reading is not None:
            painter.setPen(QPen(palette.color("control_line"), 1))
            painter.drawLine(QPointF(self._reading, frame.top()), QPointF(self._reading, frame.bottom()))

    def _x_read(self, place: _Map) -> float | None:
        if self._reading is None or not place.frame.left() <= self._reading <= place.frame.right():
            return None
        return place.x_at(self._reading)


class _Map:
    """From numbers to places."""

    def __init__(self, frame: QRectF, x_range: tuple[float, float], y_range: tuple[float, float]) -> None:
        self.frame, self._x, self._y = frame, x_range, y_range

    def point(self, x: float, y: float) -> QPointF:
        across = (x - self._x[0]) / (self._x[1] - self._x[0])
        up = (y - self._y[0]) / (self._y[1] - self._y[0])
        return QPointF(self.frame.left() + across * self.frame.width(), self.frame.bottom() - up * self.frame.height())

    def x_at(self, place: float) -> float:
        return self._x[0] + (place - self.frame.left()) / self.frame.width() * (self._x[1] - self._x[0])


def _draw_curve(painter: QPainter, curve: Curve, place: _Map, index: int) -> None:
    if curve.lows:
        up = [place.point(x, y) for x, y in zip(curve.xs, curve.highs, strict=True)]
        down = [place.point(x, y) for x, y in zip(curve.xs, curve.lows, strict=True)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_faint(index))
        painter.drawPolygon(QPolygonF([*up, *reversed(down)]))
    points = [place.point(x, y) for x, y in zip(curve.xs, curve.ys, strict=True)]
    painter.setPen(_pen(index))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF(points))
    if len(points) <= FEW:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color(TOKENS[index % len(TOKENS)]))
        for point in points:
            painter.drawEllipse(point, 2.5, 2.5)


def _pen(index: int) -> QPen:
    return QPen(palette.color(TOKENS[index % len(TOKENS)]), 1.6, STYLES[index % len(STYLES)])


def _faint(index: int) -> QColor:
    colour = QColor(palette.color(TOKENS[index % len(TOKENS)]))
    colour.setAlpha(BAND_ALPHA)
    return colour


def _last_words(curve: Curve) -> str:
    return _words_at(curve, None, is_named=True)


def _words_at(curve: Curve, x: float | None, *, is_named: bool) -> str:
    """Return the value of a curve nearest to a place, the last one without a place."""
    place = len(curve.xs) - 1 if x is None else min(range(len(curve.xs)), key=lambda i: abs(curve.xs[i] - x))
    value = curve.ys[place]
    text = number(value, 3 if abs(value) < SMALL else 1)
    return tr("{name}: {value}").format(name=curve.name, value=text) if is_named else text
