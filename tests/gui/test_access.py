"""Everybody can work with it: every control of the window and of every dialog is named, explained, reached, seen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, QRect, Qt
from PyQt5.QtGui import QImage
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QGraphicsView,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QScrollBar,
    QTabBar,
    QTextEdit,
    QWidget,
)

from gui.shell.main_window import MainWindow
from tests.gui.dialogs import DIALOGS
from tests.gui.test_run import ask_for, wait_idle
from tests.gui.test_widgets import contrast

CONTROLS = (
    QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QGraphicsView, QLineEdit,
    QPlainTextEdit, QTabBar, QTextEdit,
)  # fmt: skip
PARTS_OF_OTHERS = (QAbstractSpinBox, QComboBox, QTabBar, QLineEdit, QAbstractItemView)
FOCUS_CHANGES_AT_LEAST = 12
"""Pixels that look clearly different when a control has the focus."""


def controls(root: QWidget) -> list[QWidget]:
    """Everything of a window that somebody works with, without what such controls are made of themselves."""
    found = [widget for widget in root.findChildren(QWidget) if widget.window() is root and _is_control(widget)]
    return sorted(found, key=lambda w: (w.mapTo(root, QPoint()).y(), w.mapTo(root, QPoint()).x()))


def _is_control(widget: QWidget) -> bool:
    if not isinstance(widget, CONTROLS) or isinstance(widget, (QScrollBar, QHeaderView)):
        return False
    if widget.objectName().startswith("qt_"):
        return False
    parent = widget.parent()
    while isinstance(parent, QWidget) and not parent.isWindow():
        if isinstance(parent, PARTS_OF_OTHERS):
            return False
        parent = parent.parent()
    return True


def who(widget: QWidget) -> str:
    """Describe a control to whoever has to find it."""
    chain, parent = [], widget.parent()
    while parent is not None and len(chain) < 4:
        chain.append(type(parent).__name__)
        parent = parent.parent()
    name = widget.accessibleName() or widget.toolTip() or getattr(widget, "text", lambda: "")()
    return f"{type(widget).__name__} “{name}” in {' < '.join(chain)}"


@pytest.fixture
def filled(window: MainWindow, qtbot) -> MainWindow:
    """A window in which something has been made, explained and folded out."""
    window.resize(1280, 800)
    window.setup.advanced._head.setChecked(True)
    ask_for(window, MEL=2, NV=1)
    window.setup.start.click()
    wait_idle(window, qtbot)
    window.session.settings.set("xai.enabled", True)
    qtbot.waitUntil(lambda: window.session.gallery.rowCount() == 3)
    return window


@pytest.fixture(params=DIALOGS)
def dialog(request: pytest.FixtureRequest, window: MainWindow, qtbot) -> Iterator[QDialog]:
    made = DIALOGS[request.param](window)
    made.show()
    qtbot.waitUntil(made.isVisible)
    made.activateWindow()
    yield made
    made.close()


def test_the_window_is_named_throughout(filled: MainWindow) -> None:
    check_names(filled)


def test_dialogs_are_named_throughout(dialog: QDialog) -> None:
    check_names(dialog)
    assert dialog.windowTitle()


def check_names(root: QWidget) -> None:
    nameless = [who(widget) for widget in controls(root) if not name_of(widget)]
    assert not nameless
    unexplained = [who(widget) for widget in controls(root) if not is_explained(root, widget)]
    assert not unexplained


def name_of(widget: QWidget) -> str:
    own = widget.accessibleName()
    return own or (widget.text() if isinstance(widget, QAbstractButton) else "")


def is_explained(root: QWidget, widget: QWidget) -> bool:
    """Whether words can be seen that say what a control is: on it, beside it, or when the pointer rests on it."""
    if widget.toolTip() or getattr(widget, "placeholderText", str)():
        return True
    if isinstance(widget, QAbstractButton) and widget.text():
        return True
    if isinstance(widget, (QAbstractItemView, QGraphicsView, QPlainTextEdit, QTextEdit, QTabBar)):
        return bool(widget.accessibleName())  # a place of its own, with a heading above it
    return any(label.buddy() is widget for label in root.findChildren(QLabel)) or any(
        parent.toolTip() for parent in _parents(widget)
    )


def _parents(widget: QWidget) -> Iterator[QWidget]:
    parent = widget.parent()
    while isinstance(parent, QWidget) and not parent.isWindow():
        yield parent
        parent = parent.parent()


def test_tab_reaches_everything_of_the_window(filled: MainWindow, qtbot) -> None:
    for tab in range(filled.picture.tabs.count()):
        filled.picture.tabs.setCurrentIndex(tab)
        check_reached(filled, qtbot)


def test_tab_reaches_everything_of_dialogs(dialog: QDialog, qtbot) -> None:
    check_reached(dialog, qtbot)


def check_reached(root: QWidget, qtbot) -> None:
    order = tab_order(root, qtbot)
    usable = [w for w in controls(root) if w.isVisible() and w.isEnabled() and not _is_one_of_a_choice(w)]
    missed = [who(widget) for widget in usable if widget not in order]
    assert not missed


def _is_one_of_a_choice(widget: QWidget) -> bool:
    """Of buttons that exclude each other Tab reaches the chosen one; the arrow keys choose."""
    return isinstance(widget, QAbstractButton) and bool(widget.group()) and not widget.isChecked()


def tab_order(root: QWidget, qtbot) -> list[QWidget]:
    """The controls in the order in which Tab reaches them, once around."""
    qtbot.waitUntil(lambda: QApplication.activeWindow() is root)
    order: list[QWidget] = []
    for _ in range(len(root.findChildren(QWidget))):
        focus = _outer(QApplication.focusWidget(), root)
        if order and focus is order[0]:
            break
        if focus is not None and focus not in order:
            order.append(focus)
        root.focusNextPrevChild(True)
    return order


def _outer(widget: QWidget | None, root: QWidget) -> QWidget | None:
    """Return the control that a focused widget belongs to."""
    while widget is not None and widget is not root:
        if _is_control(widget):
            return widget
        widget = widget.parent() if isinstance(widget.parent(), QWidget) else None
    return None


def test_tab_goes_the_way_the_eye_goes(filled: MainWindow, qtbot) -> None:
    order = tab_order(filled, qtbot)
    for part in (filled.top, filled.centralWidget(), *filled.docks):
        check_visual_order(part, order)


def test_tab_goes_the_way_the_eye_goes_in_dialogs(dialog: QDialog, qtbot) -> None:
    check_visual_order(dialog, tab_order(dialog, qtbot))


def check_visual_order(part: QWidget, order: list[QWidget]) -> None:
    """Each control lies below, or in the same line further to the right, of the one before; once around."""
    inside = [widget for widget in order if part.isAncestorOf(widget)]
    wraps = bool(order) and part.isAncestorOf(order[0]) and part.isAncestorOf(order[-1])
    backwards = [f"{who(b)} after {who(a)}" for a, b in pairwise(inside) if _comes_before(part, b, a)]
    assert len(backwards) <= int(wraps or isinstance(part, QDialog)), backwards


def _comes_before(part: QWidget, a: QWidget, b: QWidget) -> bool:
    first, second = place(part, a, b), place(part, b, a)
    same_line = first.top() < second.bottom() and second.top() < first.bottom()
    return first.right() <= second.left() if same_line else first.bottom() <= second.top()


def test_the_focus_is_seen_in_the_window(filled: MainWindow, qtbot) -> None:
    for tab in range(filled.picture.tabs.count()):
        filled.picture.tabs.setCurrentIndex(tab)
        check_focus_seen(filled, qtbot)


def test_the_focus_is_seen_in_dialogs(dialog: QDialog, qtbot) -> None:
    check_focus_seen(dialog, qtbot)


def check_focus_seen(root: QWidget, qtbot) -> None:
    unseen = []
    for widget in tab_order(root, qtbot):
        if widget.isVisible() and changed_pixels(root, widget) < FOCUS_CHANGES_AT_LEAST:
            unseen.append(who(widget))
    assert not unseen


def changed_pixels(root: QWidget, widget: QWidget) -> int:
    """How many pixels of a control change clearly when it gets the focus."""
    others = [other for other in root.findChildren(QWidget) if other.focusPolicy() & Qt.FocusPolicy.TabFocus]
    next(other for other in others if other is not widget and other.isVisible() and other.isEnabled()).setFocus()
    away = pixels(widget)
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    return int((np.abs(pixels(widget) - away).max(2) > 24).sum())


def pixels(widget: QWidget) -> np.ndarray:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    bits = image.bits()
    bits.setsize(image.sizeInBytes())
    rows = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def place(part: QWidget, widget: QWidget, other: QWidget) -> QRect:
    """Where a control lies in a part of the window; what is scrolled out of sight of another lies at the edge."""
    where = widget.rect().translated(widget.mapTo(part, QPoint()))
    for area in part.findChildren(QScrollArea):
        if area.isAncestorOf(widget) and not area.isAncestorOf(other):
            seen = area.viewport().rect().translated(area.viewport().mapTo(part, QPoint()))
            where.moveTop(min(max(where.top(), seen.top()), seen.bottom()))
            where.setBottom(min(where.bottom(), seen.bottom()))
    return where


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_switched_on_is_seen_without_colours(filled: MainWindow, theme: str) -> None:
    """Some pixels of a switch differ by 3:1 in lightness between on and off: an outline, a tick, an arrow."""
    filled.session.settings.set("ui.theme", theme)
    for button in filled.findChildren(QAbstractButton):
        if button.isCheckable() and button.isVisible() and button.isEnabled() and button.group() is None:
            button.clearFocus()
            before = pixels(button)
            button.toggle()
            after = pixels(button)
            button.toggle()
            assert before.shape == after.shape
            assert largest_contrast(before, after) >= 3, who(button)


def largest_contrast(one: np.ndarray, other: np.ndarray) -> float:
    where = np.argwhere(np.abs(one - other).sum(2) > 60)
    step = max(1, len(where) // 200)
    pairs = ((_hex(one[y, x]), _hex(other[y, x])) for y, x in where[::step])
    return max((contrast(a, b) for a, b in pairs), default=1.0)


def _hex(pixel: np.ndarray) -> str:
    return "#" + "".join(f"{value:02x}" for value in pixel)


def test_what_this_program_is_not_can_always_be_read(filled: MainWindow, qtbot) -> None:
    words = [label for label in filled.statusBar().findChildren(QLabel) if "not a diagnosis" in label.text()]
    assert len(words) == 1
    for size in ((1280, 800), (1024, 700), (filled.minimumSizeHint().width(), 500)):
        filled.resize(*size)
        filled.toggle_panels()
        filled.statusBar().showMessage("Something else for a moment")
        assert words[0].isVisible()
        assert words[0].width() >= words[0].fontMetrics().horizontalAdvance(words[0].text())
        assert filled.rect().contains(words[0].rect().translated(words[0].mapTo(filled, QPoint())))
