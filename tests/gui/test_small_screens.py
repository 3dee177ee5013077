"""On small screens every dialog keeps its buttons in sight, whatever it has to say, in every language."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, QRect
from PyQt5.QtWidgets import QAbstractScrollArea, QApplication, QLabel, QPushButton, QWidget

from gui.common.problem import Problem
from gui.evaluate.report_window import ReportWindow
from gui.help.problem_dialog import ProblemDialog
from gui.shell.main_window import MainWindow
from gui.widgets import fitting
from gui.widgets.bounded import Bounded
from gui.widgets.warning_lines import WarningLines
from tests.gui.dialogs import DIALOGS
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
