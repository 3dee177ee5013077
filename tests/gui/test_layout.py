"""Nothing is cut off at 1024 x 700 in any language or scale; the layout is remembered and comes back on screen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import QByteArray, QEvent, QPoint, QRect, QSize, Qt
from PyQt5.QtGui import QFont, QHelpEvent
from PyQt5.QtWidgets import QApplication

from gui.common.notices import Notice
from gui.i18n import languages, set_language
from gui.shell.main_window import MainWindow
from gui.shell.window_place import brought_back, centred
from gui.widgets.elided_combo import ElidedCombo
from gui.widgets.fitting import FRAME, TITLE_BAR, room_on
from tests.gui.conftest import Opener
from tests.gui.dialogs import DIALOGS
from tests.gui.layout_check import SIZES, flaws
from tests.gui.test_run import ask_for, wait_idle
from tests.support.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=languages())
def worded(request: pytest.FixtureRequest, open_window: Opener, qtbot) -> Iterator[MainWindow]:
    """A window in one of the languages, with images, an open fold and everything that comes with a run."""
    set_language(request.param)
    window = open_window()
    window.setup.advanced._head.setChecked(True)
    ask_for(window, MEL=2, NV=1)
    window.setup.start.click()
    wait_idle(window, qtbot)
    yield window
    set_language("en")


@pytest.fixture(autouse=True)
def ordinary_font(qapp: QApplication) -> Iterator[None]:
    """The wide font of the test platform in a size that desktops use."""
    before = qapp.font()
    font = QFont(before)
    font.setPointSize(10)
    qapp.setFont(font)
    yield
    qapp.setFont(before)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_nothing_is_cut_off_or_covered(worded: MainWindow, qtbot, size: tuple[int, int]) -> None:
    worded.resize(*size)
    qtbot.wait(50)
    assert (worded.width(), worded.height()) == size
    found = {}
    for tab in range(worded.picture.tabs.count()):
        worded.picture.tabs.setCurrentIndex(tab)
        qtbot.wait(50)
        found |= dict.fromkeys(flaws(worded))
    assert not found


@pytest.mark.parametrize("scale", ["1.5", "2"])
def test_nothing_is_cut_off_on_screens_of_high_resolution(tmp_path: Path, scale: str) -> None:
    """The scale of a program is fixed when it starts: a process of its own looks at all languages and sizes."""
    environment = {
        **os.environ, "QT_SCALE_FACTOR": scale, "QT_QPA_PLATFORM": "offscreen", "ISICGUI_HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.gui.layout_check"]
    found = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=4 * PATIENCE, check=False, cwd=ROOT
    )
    assert found.returncode == 0, found.stderr
    first, *wrong = found.stdout.splitlines()
    assert float(first.removeprefix("scale ")) == pytest.approx(float(scale), rel=0.1)
    assert not wrong


LEFT, RIGHT = QRect(0, 0, 1920, 1080), QRect(1920, 0, 1280, 1024)


@pytest.mark.parametrize(
    ("place", "screens", "expected"),
    [
        (QRect(100, 100, 1280, 800), [LEFT], QRect(100, 100, 1280, 800)),
        (QRect(2000, 100, 1000, 700), [LEFT, RIGHT], QRect(2000, 100, 1000, 700)),
        (QRect(2000, 100, 1000, 700), [LEFT], QRect(460, 204, 1000, 700)),
        (QRect(100, -400, 1280, 800), [LEFT], QRect(320, 154, 1280, 800)),
        (QRect(1880, 100, 1280, 800), [LEFT], QRect(320, 154, 1280, 800)),
        (QRect(-1200, 100, 1280, 800), [LEFT], QRect(-1200, 100, 1280, 800)),
        (QRect(5000, 5000, 4000, 3000), [RIGHT], RIGHT.adjusted(4, 32, -4, -4)),
        (QRect(0, 22, 1920, 1080), [LEFT], LEFT.adjusted(4, 32, -4, -4)),
        (QRect(0, 22, 1920, 1080), [LEFT, RIGHT], QRect(0, 22, 1920, 1080)),
        (QRect(5, 5, 10, 10), [], QRect(5, 5, 10, 10)),
    ],
    ids=[
        "seen",
        "second screen",
        "unplugged",
        "above",
        "a sliver",
        "enough to take it by",
        "too large",
        "as large as its screen",
        "over two screens",
        "no screen",
    ],
)
def test_a_window_comes_back_to_a_screen_that_is_there(place: QRect, screens: list[QRect], expected: QRect) -> None:
    assert brought_back(place, screens) == expected


def test_a_window_that_was_on_an_unplugged_screen_is_seen(open_window: Opener, qapp: QApplication) -> None:
    first = open_window()
    first.setGeometry(9000, 7000, 1100, 720)
    first.close()
    second = open_window()
    place = second.geometry()
    again = brought_back(place, [screen.availableGeometry() for screen in qapp.screens()])
    assert again.topLeft() == place.topLeft()


def layout_of(window: MainWindow) -> list[tuple[str, bool, bool, int]]:
    return [
        (dock.objectName(), dock.isVisible(), dock.isFloating(), int(window.dockWidgetArea(dock)))
        for dock in window.docks
    ]


def rearrange(window: MainWindow) -> None:
    setup, gallery, tree, log, queue = window.docks
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, setup)
    window.tabifyDockWidget(gallery, tree)
    log.close()
    queue.setFloating(True)


def test_a_rearranged_layout_is_there_at_the_next_start(open_window: Opener) -> None:
    first = open_window()
    rearrange(first)
    changed = layout_of(first)
    tabbed = first.tabifiedDockWidgets(first.docks[1])
    first.close()
    second = open_window()
    assert layout_of(second) == changed
    assert [dock.objectName() for dock in second.tabifiedDockWidgets(second.docks[1])] == [
        dock.objectName() for dock in tabbed
    ]


def test_reset_gives_the_first_layout_back(open_window: Opener, qtbot) -> None:
    first = open_window()
    fresh, widths, size = layout_of(first), [dock.width() for dock in first.docks], first.size()
    rearrange(first)
    first.close()
    second = open_window()
    second.resize(size)  # it was made smaller, to leave room for its title bar on the small screen of the tests
    second.reset_layout()
    assert layout_of(second) == fresh
    assert not second.tabifiedDockWidgets(second.docks[1])
    qtbot.waitUntil(lambda: all(abs(d.width() - w) < 20 for d, w in zip(second.docks, widths, strict=True)))


def test_a_layout_that_cannot_be_read_is_the_first_one(open_window: Opener) -> None:
    first = open_window()
    fresh = layout_of(first)
    first.session.settings.remember("window/state", QByteArray(b"no layout"))
    first.session.settings.remember("window/geometry", QByteArray(b"no place"))
    first.session.settings.save()
    second = open_window()
    assert layout_of(second) == fresh


def test_a_first_window_shows_all_of_the_setup_with_a_notice_above_it(window: MainWindow, qtbot) -> None:
    """At the reference size less its frame: who has never seen it learns that there are more options."""
    window.resize(1271, 763)
    window.reset_layout()
    window.session.notices.post(Notice("tour", "New here?", "Show me around", lambda: None))
    qtbot.waitUntil(window.banner.isVisible)
    qtbot.wait(50)
    assert window.setup.options.verticalScrollBar().maximum() == 0


def test_headings_stand_free_above_their_panels(window: MainWindow) -> None:
    for panel in (window.setup, window.gallery, window.tree, window.log, window.queue):
        head = panel.head
        assert head.mapTo(window, QPoint(0, head.height())).y() <= panel.mapTo(window, QPoint()).y() + 1


def test_nothing_is_cut_off_in_dialogs(worded: MainWindow, qtbot) -> None:
    found: dict[str, list[str]] = {}
    for name, make in DIALOGS.items():
        dialog = make(worded)
        dialog.show()
        qtbot.waitUntil(dialog.isVisible)
        qtbot.wait(50)
        wrong = flaws(dialog)
        if wrong:
            found[name] = wrong
        dialog.close()
    assert not found


def test_the_notes_of_the_tour_have_room_for_their_words(worded: MainWindow, qtbot) -> None:
    worded.resize(*SIZES[-1])
    worded.help.start_tour()
    while worded.help.tour:
        mark = worded.help.tour.mark
        assert mark.minimumSizeHint().width() <= mark.width()
        assert mark.sentence.heightForWidth(mark.sentence.width()) <= mark.sentence.height()
        assert worded.rect().contains(QRect(mark.mapTo(worded, QPoint()), mark.size()))
        worded.help.tour.go_on()


def test_a_first_window_is_no_larger_than_its_screen(open_window: Opener, qapp: QApplication) -> None:
    window = open_window()
    screen = qapp.primaryScreen().availableGeometry()
    assert not screen.contains(window.geometry())  # or this machine's screen is too large for the test
    window.fit_to_screen()
    room = room_on(screen)
    assert window.geometry().size() == room.size().expandedTo(window.minimumSizeHint())
    assert screen.contains(window.geometry().center())


def test_the_title_bar_of_a_first_window_finds_room_on_its_screen() -> None:
    screen = QRect(0, 0, 1280, 800)
    place = centred(QRect(0, 0, 1280, 800), screen)
    with_frame = place.adjusted(-FRAME, -TITLE_BAR, FRAME, FRAME)
    assert screen.contains(with_frame)
    assert centred(QRect(0, 0, 800, 600), screen).size() == QSize(800, 600)


def test_opened_options_are_scrolled_to(open_window: Opener, qtbot) -> None:
    window = open_window()
    window.resize(1024, 700)
    setup = window.setup
    setup.advanced.set_open(True)
    qtbot.waitUntil(lambda: setup.options.verticalScrollBar().value() > 0)
    viewport = setup.options.viewport()
    assert viewport.rect().contains(setup.advanced.mapTo(viewport, QPoint(0, 0)))
    hidden_below = setup.advanced.mapTo(viewport, QPoint(0, setup.advanced.height())).y() - viewport.height()
    assert hidden_below <= 1 or setup.advanced.mapTo(viewport, QPoint(0, 0)).y() <= 1


@pytest.fixture
def chooser(qtbot) -> ElidedCombo:
    combo = ElidedCombo()
    qtbot.addWidget(combo)
    combo.addItems(["Short", "A choice of many words that nobody has room for"])
    combo.setToolTip("What is chosen")
    combo.resize(120, 28)
    combo.show()
    return combo


def test_what_is_chosen_is_shortened_with_dots(chooser: ElidedCombo) -> None:
    assert chooser.shown_text() == "Short"
    chooser.setCurrentIndex(1)
    shown = chooser.shown_text()
    assert shown.endswith("…")
    assert chooser.currentText().startswith(shown.rstrip("…"))
    assert chooser.fontMetrics().horizontalAdvance(shown) < chooser.width()
    chooser.resize(600, 28)
    assert chooser.shown_text() == chooser.currentText()


def test_all_of_what_was_shortened_is_in_the_tooltip(chooser: ElidedCombo, monkeypatch) -> None:
    told = []
    monkeypatch.setattr("gui.widgets.elided_combo.QToolTip.showText", lambda _, words, __: told.append(words))
    for row in (0, 1):
        chooser.setCurrentIndex(row)
        chooser.event(QHelpEvent(QEvent.Type.ToolTip, QPoint(5, 5), QPoint(5, 5)))
    assert told == ["What is chosen", f"{chooser.itemText(1)}\nWhat is chosen"]
