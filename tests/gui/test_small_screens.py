"""On small screens every dialog keeps its buttons in sight, whatever it has to say, in every language."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, QRect
from PyQt5.QtWidgets import QAbstractScrollArea, QApplication, QLabel, QPushButton, QToolButton, QWidget

from gui.common.problem import Problem
from gui.evaluate.report_window import ReportWindow
from gui.help.problem_dialog import ProblemDialog
from gui.shell.main_window import MainWindow
from gui.widgets import fitting
from gui.widgets.bounded import Bounded
from gui.widgets.warning_lines import WarningLines
from gui.widgets.yielding_row import YieldingRow
from tests.gui.dialogs import DIALOGS
from tests.gui.explaining import EXPLAIN, explain, make_image, show, wait_ready
from tests.gui.fake_engine import REASONS, FakeEngine
from tests.gui.layout_check import flaws
from tests.gui.test_layout import ordinary_font, worded

__all__ = ["ordinary_font", "worded"]

TASKBAR = 48
SCREENS = {"1280x720": QRect(0, 0, 1280, 720 - TASKBAR), "1024x700": QRect(0, 0, 1024, 700 - TASKBAR)}
SENTENCE = "A photograph of the folder cannot be read, since its file ends before its last row of pixels has come."


@pytest.fixture(params=SCREENS)
def room(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> QRect:
    found = fitting.room_on(SCREENS[request.param])
    monkeypatch.setattr(fitting, "room_for", lambda window: found)
    return found


def say_much(dialog: QWidget) -> None:
    """Let everything speak that has ever something to say, at length."""
    for lines in dialog.findChildren(WarningLines):
        lines.show_warnings([SENTENCE] * 12)
    for label in dialog.findChildren(QLabel):
        if label.property("role") == "problem":
            label.setText(" ".join([SENTENCE] * 8))
            label.show()


def buttons(dialog: QWidget) -> list[QPushButton]:
    """The buttons that stand under everything, not those inside what scrolls."""
    return [
        button
        for button in dialog.findChildren(QPushButton)
        if button.isVisibleTo(dialog) and button.window() is dialog and not _is_scrolled(button, dialog)
    ]


def _is_scrolled(widget: QWidget, dialog: QWidget) -> bool:
    parent = widget.parentWidget()
    while parent is not None and parent is not dialog:
        if isinstance(parent, QAbstractScrollArea):
            return True
        parent = parent.parentWidget()
    return False


def hidden_buttons(dialog: QWidget, room: QRect) -> list[str]:
    seen = QRect(QPoint(), dialog.size().boundedTo(room.size()))
    places = {button.text(): QRect(button.mapTo(dialog, QPoint()), button.size()) for button in buttons(dialog)}
    return [f"{name}: {place.getRect()}" for name, place in places.items() if not seen.contains(place)]


def judge(dialog: QWidget, room: QRect, qtbot) -> list[str]:
    dialog.show()
    say_much(dialog)
    qtbot.wait(60)
    wrong = hidden_buttons(dialog, room)
    if dialog.width() > room.width() or dialog.height() > room.height():
        wrong.append(f"{dialog.width()} x {dialog.height()} on {room.width()} x {room.height()}")
    return wrong


def test_every_dialog_keeps_its_buttons_in_sight(worded: MainWindow, room: QRect, qtbot) -> None:
    found: dict[str, list[str]] = {}
    for name, make in DIALOGS.items():
        dialog = make(worded)
        if wrong := judge(dialog, room, qtbot):
            found[name] = wrong
        dialog.close()
    assert not found


def test_nothing_is_cut_off_in_a_dialog_that_was_made_smaller(worded: MainWindow, room: QRect, qtbot) -> None:
    found: dict[str, list[str]] = {}
    for name, make in DIALOGS.items():
        dialog = make(worded)
        dialog.show()
        qtbot.wait(60)
        if wrong := flaws(dialog):
            found[name] = wrong
        dialog.close()
    assert not found


def test_a_report_keeps_its_buttons_in_sight(worded: MainWindow, room: QRect, tmp_path: Path, qtbot) -> None:
    (tmp_path / "20261120_120000_001_ISIC_0000001").mkdir()
    report = ReportWindow(tmp_path / "20261120_120000_001_ISIC_0000001", worded)
    assert judge(report, room, qtbot) == []
    report.close()


def test_a_problem_of_many_lines_scrolls_and_its_details_too(window: MainWindow, room: QRect, qtbot) -> None:
    problem = Problem("Files that cannot be shown", "\n".join([SENTENCE] * 60), SENTENCE, details="line\n" * 99)
    dialog = ProblemDialog(problem, parent=window)
    assert judge(dialog, room, qtbot) == []
    dialog._show_details(True)
    assert judge(dialog, room, qtbot) == []
    dialog.close()


def test_few_words_take_little_room(window: MainWindow, qtbot) -> None:
    dialog = ProblemDialog(Problem("Title", "Message", "Remedy"), parent=window)
    dialog.show()
    qtbot.wait(20)
    place = dialog.findChild(Bounded)
    assert place is not None
    assert 0 < place.height() < 100
    assert [line.text() for line in dialog.findChildren(QLabel) if line.isVisible() and line.text()] == [
        "Title",
        "Message",
        "Remedy",
    ]
    assert place.verticalScrollBar().maximum() == 0
    dialog.close()


def test_the_place_of_words_is_there_as_long_as_they_are(qapp: QApplication, qtbot) -> None:
    lines = WarningLines()
    place = Bounded(lines, 80)
    qtbot.addWidget(place)
    assert place.isHidden()
    lines.show_warnings(["one"])
    assert not place.isHidden()
    assert place.heightForWidth(300) < 80
    lines.show_warnings(["many"] * 40)
    assert place.heightForWidth(300) == 80
    lines.show_warnings([])
    assert place.isHidden()


# --- the window itself ----------------------------------------------------------------------------------------------

WINDOWS = ((1272, 636), (1024, 700), (1024, 616))
"""Inside of a window on 1280 x 720 and on 1024 x 700 with a taskbar, and the smallest size that is promised."""

LEAST_SIDE = 160
LONG_REASONS = (
    "The predicted class differs from the class that the image was made for.",
    "The classifier changes its mind when the image is moved by a single pixel, so that its reasons are doubtful.",
)


def tools(window: MainWindow) -> list[str]:
    """Every tool above the picture that can be reached, in sight or in the menu."""
    head = window.picture.head
    assert isinstance(head, YieldingRow)
    head.menu.aboutToShow.emit()
    seen = [button for button in head.findChildren(QToolButton) if button.isVisibleTo(head) and button is not head.more]
    return [button.toolTip() for button in seen] + [action.text() for action in head.menu.actions()]


@pytest.mark.parametrize("size", WINDOWS, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_tool_of_the_picture_can_be_reached(worded: MainWindow, qtbot, size: tuple[int, int]) -> None:
    worded.resize(1600, 900)
    qtbot.wait(30)
    everything = sorted(tools(worded))
    assert not worded.picture.head.more.isVisibleTo(worded)
    worded.resize(*size)
    qtbot.wait(30)
    assert sorted(tools(worded)) == everything
    assert len(everything) == 6


def test_a_tool_in_the_menu_does_what_its_button_does(window: MainWindow, qtbot) -> None:
    window.resize(1024, 700)
    qtbot.wait(30)
    head = window.picture.head
    assert head.more.isVisibleTo(window)
    assert not window.picture.pixels.isVisibleTo(window)
    for shown in (True, False):
        head.menu.aboutToShow.emit()
        (action,) = [action for action in head.menu.actions() if "single pixels" in action.text()]
        assert action.isChecked() is not shown
        action.trigger()
        assert window.picture.pixels.isChecked() is shown


@pytest.mark.parametrize("size", WINDOWS, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_map_is_large_and_its_verdict_whole(
    engine: FakeEngine, worded: MainWindow, output: Path, qtbot, monkeypatch, size: tuple[int, int]
) -> None:
    monkeypatch.setitem(REASONS, "amber", LONG_REASONS)
    engine.level = "amber"
    worded.setup.advanced.set_open(False)
    worded.resize(*size)
    worded.reset_layout()
    worded.picture.tabs.setCurrentIndex(EXPLAIN)
    show(worded, output / "MEL" / "ISIC_0000001.png", qtbot)
    wait_ready(worded, qtbot)
    qtbot.wait(100)
    assert (worded.width(), worded.height()) == size
    view, reason = worded.picture.explain.view, worded.picture.explain.facts.badge.reason
    assert min(view.width(), view.height()) >= LEAST_SIDE
    assert reason.text() == " ".join(LONG_REASONS)
    assert reason.height() >= reason.heightForWidth(reason.width())
    assert reason.visibleRegion().boundingRect().height() >= reason.heightForWidth(reason.width())


def test_on_a_large_screen_the_facts_stand_below_the_map(window: MainWindow, tmp_path: Path, qtbot) -> None:
    window.resize(1400, 1100)
    explain(window, make_image(tmp_path, "a.png", 1), qtbot)
    qtbot.wait(50)
    facts, grid = window.picture.explain.facts, window.picture.explain.grid
    assert facts.mapTo(window, QPoint()).y() >= grid.mapTo(window, QPoint(0, grid.height())).y()
    window.resize(1600, 640)
    qtbot.wait(50)
    assert facts.mapTo(window, QPoint()).x() >= grid.mapTo(window, QPoint(grid.width(), 0)).x()
