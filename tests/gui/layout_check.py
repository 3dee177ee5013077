"""Says what of a window is cut off or lies over something else, from its geometry alone.

Run as a program it opens the window in every language and size at the scale of ``QT_SCALE_FACTOR`` and prints what is
wrong: the scale of a program is fixed when it starts, so each scale takes a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from PyQt5.QtCore import QEvent, QPoint, QRect
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QTabBar,
    QWidget,
)

from core.config.config_manager import ConfigManager
from core.utils.logger import RingHandler
from core.utils.path_manager import PathManager
from gui.common.settings import SettingsModel
from gui.i18n import languages, set_language
from gui.shell.main_window import MainWindow
from gui.shell.session import Session
from gui.shell.theme_keeper import ThemeKeeper
from tests.gui.conftest import fake_catalog
from tests.gui.fake_engine import FakeEngine
from tests.gui.test_access import controls, who

SIZES = ((1280, 800), (1024, 700))
SPIN_EXTRA = 26
"""What a spin box needs beside its text: padding, borders, arrows."""

LAYOUT_PASSES = 4
TOLERANCE = 1
"""Pixels: layouts round."""


def flaws(root: QWidget) -> list[str]:
    """Return what is wrong with the layout of a window, in words; empty if nothing is."""
    for _ in range(LAYOUT_PASSES):  # words that have just changed may not have been given their room yet
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    parts = [part for part in _parts(root) if part.isVisible()]
    return [*_cut_off(root, parts), *_outside(root, parts), *_overlapping(root, parts)]


def _parts(root: QWidget) -> list[QWidget]:
    found = controls(root)
    labels = [label for label in root.findChildren(QLabel) if label.window() is root and label.text()]
    return [*found, *(label for label in labels if not any(control.isAncestorOf(label) for control in found))]


def _cut_off(root: QWidget, parts: list[QWidget]) -> Iterator[str]:
    for part in parts:
        needed = _needed_width(part)
        if part.width() + TOLERANCE < needed:
            yield f"{part.width()} px wide, needs {needed}: {who(part)}"
        high = _needed_height(part)
        if part.height() + TOLERANCE < high:
            yield f"{part.height()} px high, needs {high}: {who(part)}"


def _needed_width(part: QWidget) -> int:
    if isinstance(part, QAbstractSpinBox):
        return part.fontMetrics().horizontalAdvance(part.text()) + SPIN_EXTRA
    if isinstance(part, (QAbstractButton, QLabel, QComboBox)):
        return part.minimumSizeHint().width()
    return 0


def _needed_height(part: QWidget) -> int:
    if isinstance(part, QLabel) and part.wordWrap():
        return part.heightForWidth(part.width())
    if isinstance(part, (QLabel, QTabBar)):
        return part.minimumSizeHint().height()
    return part.fontMetrics().height()


def _outside(root: QWidget, parts: list[QWidget]) -> Iterator[str]:
    for part in parts:
        parent, inner = part.parent(), part
        while isinstance(parent, QWidget) and inner is not root:
            if isinstance(parent.parent(), QAbstractScrollArea):
                break  # what does not fit can be scrolled to
            where = QRect(part.mapTo(parent, QPoint()), part.size())
            room = parent.rect().adjusted(-TOLERANCE, -TOLERANCE, TOLERANCE, TOLERANCE)
            if not room.contains(where):
                yield f"{where.getRect()} outside {type(parent).__name__} {parent.rect().getRect()}: {who(part)}"
                break
            inner, parent = parent, parent.parent()


def _overlapping(root: QWidget, parts: list[QWidget]) -> Iterator[str]:
    places = [(part, _seen(root, part)) for part in parts]
    for (one, first), (other, second) in combinations(places, 2):
        common = first.intersected(second)
        if common.width() <= TOLERANCE or common.height() <= TOLERANCE:
            continue
        if not (one.isAncestorOf(other) or other.isAncestorOf(one)):
            yield f"{who(one)} lies over {who(other)} in {common.getRect()}"


def _seen(root: QWidget, part: QWidget) -> QRect:
    """Return the part of a control that is not scrolled out of sight."""
    where = QRect(part.mapTo(root, QPoint()), part.size())
    parent = part.parent()
    while isinstance(parent, QWidget) and parent is not root:
        where = where.intersected(QRect(parent.mapTo(root, QPoint()), parent.size()))
        parent = parent.parent()
    return where


def main() -> None:
    """Print the scale, and a line for everything that is wrong."""
    from gui.app import make_application

    app = make_application(["layout_check"])
    font = app.font()
    font.setPointSize(10)
    app.setFont(font)
    print("scale", app.devicePixelRatio())
    for code in languages():
        window = _filled(code)
        for size in SIZES:
            window.resize(*size)
            QTest.qWait(50)
            if (window.width(), window.height()) != size:
                print(code, size, "is not reached:", window.width(), window.height())
            for flaw in dict.fromkeys(_flaws_of_all_tabs(window)):
                print(code, size, flaw)
        window.close()
        window.deleteLater()


def _filled(code: str) -> MainWindow:
    set_language(code)
    settings = SettingsModel(ConfigManager().load(), PathManager())
    ThemeKeeper(_app(), settings)
    window = MainWindow(Session(FakeEngine(), fake_catalog, settings, RingHandler()))
    window.show()
    QTest.qWait(200)
    window.setup.advanced.set_open(True)
    window.setup.start.click()
    while window.session.run.busy:
        QTest.qWait(50)
    return window


def _app() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app


def _flaws_of_all_tabs(window: MainWindow) -> Iterator[str]:
    for tab in range(window.picture.tabs.count()):
        window.picture.tabs.setCurrentIndex(tab)
        QTest.qWait(50)
        yield from flaws(window)


if __name__ == "__main__":
    main()
