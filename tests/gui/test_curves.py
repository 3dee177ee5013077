"""Curves of bounded length, and axes with round marks."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt5.QtCore import QEvent, QPointF, Qt
from PyQt5.QtGui import QColor, QMouseEvent

from gui.theme import palette
from gui.train.axis import extent, tick_texts, ticks
from gui.train.curve_plot import CurvePlot
from gui.train.curves import Curve, CurveBook, Series


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300), st.integers(4, 20))
def test_a_series_never_grows_beyond_its_bound_and_keeps_the_mean(values, most):
    series = Series(most)
    for x, value in enumerate(values):
        series.add(x, value)
        assert len(series) <= most
    curve = series.curve("c")
    assert list(curve.xs) == sorted(curve.xs)
    assert min(values) - 1e-6 <= min(curve.ys) <= max(curve.ys) <= max(values) + 1e-6
    if len(values) < most:
        assert curve.ys == pytest.approx(values)


def test_neighbours_are_averaged_evenly():
    series = Series(8)
    for x in range(64):
        series.add(x, x)
    curve = series.curve("c")
    assert curve.xs == curve.ys == (7.5, 23.5, 39.5, 55.5)


def test_what_is_no_number_is_passed_over():
    book = CurveBook()
    for y in (None, "1", True, math.nan, math.inf):
        book.add("k", 1, y)
    book.add("k", None, 1)
    assert book.curves({"k": "K"}) == []
    book.add("k", 1, 2, 1, None)
    (curve,) = book.curves({"k": "K", "other": "O"})
    assert (curve.ys, curve.lows) == ((2.0,), ())


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 12))
def test_marks_lie_within_the_range_evenly_apart_and_are_round(low, width, most):
    high = low + width
    if high - low < 1e-6 * max(abs(low), 1e-6):
        return
    marks = ticks(low, high, most)
    slack = 1e-6 * max(1.0, abs(low), abs(high))
    assert len(marks) >= 2 or width < slack * 100
    assert all(low - slack <= mark <= high + slack for mark in marks)
    gaps = [b - a for a, b in itertools.pairwise(marks)]
    assert all(gap == pytest.approx(gaps[0], rel=1e-3, abs=slack) for gap in gaps)
    assert len(marks) <= max(4, most)


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [(0, 1, 5, ["0.0", "0.5", "1.0"]), (0, 12000, 6, ["0", "2500", "5000", "7500", "10000"])],
)
def test_marks_as_people_write_them(low, high, most, expected):
    texts = tick_texts(ticks(low, high, most))
    assert len(texts) <= most
    assert all(not text.endswith(".") for text in texts)


def test_texts_have_as_many_decimals_as_they_need_and_large_numbers_are_short():
    assert tick_texts([0.0, 0.25, 0.5]) == ["0.00", "0.25", "0.50"]
    assert tick_texts([0, 10_000, 20_000]) == ["0", "10k", "20k"]
    assert tick_texts([0, 500_000, 1_000_000]) == ["0.0", "0.5M", "1.0M"]
    assert tick_texts([]) == []


def test_the_range_is_never_empty():
    assert extent([]) == (0.0, 1.0)
    low, high = extent([3.0, 3.0])
    assert low < 3 < high
    low, high = extent([0.0, 0.0])
    assert low < high
    assert extent([1.0, 2.0], from_zero=True)[0] == 0


@pytest.fixture
def plot(qtbot, qapp) -> CurvePlot:
    from gui.theme.palette import apply_theme

    apply_theme(qapp, "light")
    plot = CurvePlot("images", "Loss", from_zero=True)
    qtbot.addWidget(plot)
    plot.resize(400, 200)
    plot.show()
    return plot


def count(plot, token):
    """Pixels that are near to a colour of the theme."""
    image, wanted = plot.grab().toImage(), palette.color(token)
    near = 0
    for y in range(image.height()):
        for x in range(image.width()):
            color = QColor(image.pixel(x, y))
            near += all(
                abs(a - b) < 24
                for a, b in zip(color.getRgb()[:3], wanted.getRgb()[:3], strict=True)
            )  # fmt: skip
    return near


def test_curves_are_drawn_each_in_its_own_colour_and_described_in_words(plot):
    assert count(plot, "accent") == count(plot, "doubt") == 0
    xs = tuple(range(100))
    plot.show_curves([Curve("training", xs, tuple(1 - x / 100 for x in xs)), Curve("validation", (50, 99), (0.6, 0.2))])
    assert count(plot, "accent") > 100
    assert count(plot, "doubt") > 20
    assert plot.accessibleDescription() == "training: 0.010; validation: 0.200"
    assert plot.accessibleName() == "Loss"


def test_the_mouse_reads_the_curves(plot, qtbot):
    plot.show_curves([Curve("training", (0, 100), (1.0, 3.0))])
    before = plot.grab().toImage()
    place = QPointF(plot.width() / 2, plot.height() / 2)
    none = Qt.MouseButton.NoButton
    plot.mouseMoveEvent(QMouseEvent(QEvent.Type.MouseMove, place, none, none, Qt.KeyboardModifier.NoModifier))
    assert plot.grab().toImage() != before
    plot.leaveEvent(QEvent(QEvent.Type.Leave))
    assert plot.grab().toImage() == before


def test_odd_curves_are_drawn_without_complaint(plot):
    random.seed(1)
    for curve in (
        Curve("one", (5.0,), (5.0,)),
        Curve("flat", (1.0, 2.0), (0.0, 0.0)),
        Curve("band", (1.0, 2.0), (0.5, 0.6), (0.4, 0.5), (0.7, 0.8)),
        Curve("huge", (1e9, 2e9), (-1e12, 1e12)),
        Curve("none", (), ()),
    ):
        plot.show_curves([curve])
        plot.grab()
    for size in ((10, 10), (2000, 60)):
        plot.resize(*size)
        plot.grab()
