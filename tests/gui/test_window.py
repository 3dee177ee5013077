"""The window as a whole: what it remembers, how it opens, closes, and survives errors."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest
from PyQt5.QtCore import QMimeData, QPoint, Qt, QUrl
from PyQt5.QtGui import QDropEvent, QKeySequence, QTextCursor
from PyQt5.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QSpinBox, QToolButton, QWidget

from core.errors import DeviceError
from dataset.png import encode_png
from gui.shell import window_place
from gui.shell.crash import Crashes
from gui.shell.main_window import MainWindow
from gui.theme.tokens import DARK
from tests.gui.conftest import NO_DF, Opener
from tests.gui.fake_engine import FakeEngine, make_pixels, make_recipe
from tests.gui.test_run import ask_for, wait_idle
from xai.explanation import GateVerdict


def test_a_class_without_a_model_says_why(window: MainWindow) -> None:
    row = window.setup.rows["DF"]
    assert not row._check.isEnabled()
    assert "no model" in row._title.text()
    assert NO_DF in row.toolTip()
    assert row._mark.isVisibleTo(window)
    assert "DF" not in window.session.classes.counts()


def test_all_none_and_same_number(window: MainWindow) -> None:
    window.session.classes.check_all(True)
    window.setup._same.setValue(3)
    assert window.session.classes.counts() == dict.fromkeys(("MEL", "NV", "BCC", "AKIEC", "BKL", "VASC"), 3)
    assert window.setup.rows["VASC"]._count.value() == 3
    window.session.classes.check_all(False)
    assert window.session.classes.counts() == {}
    assert not window.setup.rows["MEL"]._check.isChecked()


def test_the_first_start_has_something_checked(window: MainWindow) -> None:
    assert window.session.classes.counts() == {"MEL": 5, "NV": 5}
    assert window.setup.start.isEnabled()


def test_devices_come_from_the_engine(window: MainWindow, qtbot) -> None:
    device = window.top.device
    assert [device.itemData(i) for i in range(device.count())] == ["auto", "cpu", "cuda:0"]
    assert device.itemText(0) == "Automatic: Test GPU"
    qtbot.waitUntil(lambda: device.itemText(2) == "Test GPU · 6.0 of 8 GB free")
    device.activated.emit(1)
    assert window.session.settings.get("generation.device") == "cpu"


def test_an_engine_that_does_not_start_is_told(open_window: Opener, engine: FakeEngine, qtbot) -> None:
    engine.warm_up_error = DeviceError("The driver is too old.", remedy="Install a newer one.")
    window = open_window()
    qtbot.waitUntil(lambda: bool(window._problems))
    assert window._problems[0].problem.message == "The driver is too old."
    assert "not available" in window.statusBar().engine.text()


def test_choices_come_back_at_the_next_start(
    open_window: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_place, "_fits", lambda place, screen: True)  # the tests' screen is smaller than that
    first = open_window()
    ask_for(first, BKL=7)
    settings = first.session.settings
    settings.choose_folder("paths.output", tmp_path / "elsewhere")
    settings.set("generation.steps", 33)
    settings.set("xai.enabled", True)
    settings.set("ui.theme", "dark")
    first.docks[3].hide()
    first.resize(1100, 720)
    first.close()
    second = open_window()
    assert second.session.classes.counts() == {"BKL": 7}
    assert second.session.settings.output == tmp_path / "elsewhere"
    assert second.setup.advanced._content.steps.value() == 33
    assert second.top.explain.isChecked()
    assert not second.docks[3].isVisible()
    assert (second.width(), second.height()) == (1100, 720)
    assert second.session.settings.recent("paths.output") == [str(tmp_path / "elsewhere")]


def test_the_layout_can_be_reset(window: MainWindow) -> None:
    window.docks[0].setFloating(True)
    window.docks[1].hide()
    window.reset_layout()
    assert all(dock.isVisible() and not dock.isFloating() for dock in window.docks)


def test_all_panels_fold_away_and_come_back(window: MainWindow) -> None:
    window.docks[2].hide()
    window.toggle_panels()
    assert not any(dock.isVisible() for dock in window.docks)
    window.toggle_panels()
    assert [dock.isVisible() for dock in window.docks] == [True, True, False, True, True]


def test_closing_while_running_asks_stops_and_then_closes(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    engine.gate.clear()
    ask_for(window, MEL=3)
    window.setup.start.click()
    qtbot.waitUntil(lambda: window.session.run.total == 3)
    window.close()
    assert window.isVisible()
    window._close_dialog.go_on_button.click()
    assert window.session.run.stop_mode is None
    window.close()
    window._close_dialog.stop_button.click()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert not window.session.run.busy
    assert engine.closed


def test_a_run_that_ends_while_closing_is_asked_about_lets_the_window_close(
    window: MainWindow, engine: FakeEngine, qtbot
) -> None:
    engine.gate.clear()
    ask_for(window, MEL=1)
    window.setup.start.click()
    qtbot.waitUntil(lambda: window.session.run.total == 1)
    window.close()
    engine.gate.set()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert window.session.run.done == 1


def test_an_exception_in_a_slot_ends_in_a_dialog(window: MainWindow, qtbot) -> None:
    crashes = Crashes()
    crashes.caught.connect(window.session.report)
    crashes.install()
    try:
        window.setup.start.pressed.connect(lambda: 1 / 0)
        with qtbot.capture_exceptions():
            window.setup.start.pressed.emit()
        crashes._hook(ZeroDivisionError, ZeroDivisionError("division by zero"), None)
        threading.Thread(target=lambda: next(iter(()))).start()
        qtbot.waitUntil(lambda: len(window._problems) == 2)
    finally:
        crashes.uninstall()
    messages = [dialog.problem.message for dialog in window._problems]
    assert any("ZeroDivisionError" in message for message in messages)
    assert any("StopIteration" in message for message in messages)
    assert all("go on working" in dialog.problem.remedy for dialog in window._problems)


def test_the_same_problem_is_not_told_twice_at_once(window: MainWindow) -> None:
    for _ in range(5):
        window.session.report(DeviceError("No such device.", remedy="Choose another."))
    assert len(window._problems) == 1


def test_an_interrupted_run_is_offered_and_resumed(
    open_window: Opener, engine: FakeEngine, output: Path, qtbot
) -> None:
    interrupt_a_run(output, finished=3, total=8)
    window = open_window()
    qtbot.waitUntil(lambda: window.banner.isVisible())
    assert "3 of 8 images are finished" in window.banner.text
    assert window.banner.text.startswith("1 interrupted run in this folder")
    engine.gate.clear()
    window.banner._action.click()
    qtbot.waitUntil(lambda: engine.resumed == [output])
    assert not window.banner.isVisible()
    engine.gate.set()
    wait_idle(window, qtbot)


def test_a_run_that_is_complete_does_not_bury_those_that_are_not(open_window: Opener, output: Path, qtbot) -> None:
    for _ in range(2):
        interrupt_a_run(output, finished=1, total=4)
    window = open_window()
    qtbot.waitUntil(lambda: window.banner.isVisible())
    window.session.start()
    assert not window.banner.isVisible()
    wait_idle(window, qtbot)
    qtbot.waitUntil(lambda: window.banner.isVisible())
    assert window.banner.text == "2 interrupted runs in this folder: 2 of 8 images are finished."


def interrupt_a_run(output: Path, *, finished: int, total: int) -> None:
    from core.generation import GenerationRequest, plan_class
    from dataset.synthetic_dataset import SyntheticDataset

    request = GenerationRequest((("MEL", total),), Path("models"), output)
    with SyntheticDataset.open(output) as dataset:
        run = dataset.begin_run(request, list(plan_class(request, "MEL", total, frozenset())))
        for slot in run.slots[:finished]:
            dataset.store(
                run, slot, make_pixels(slot.planned.seed), make_recipe("MEL", slot.planned.seed, slot.planned.index)
            )


def test_a_dropped_image_is_shown_and_changes_no_setting(window: MainWindow, tmp_path: Path, qtbot) -> None:
    before = window.session.settings.get("generation.seed")
    file = tmp_path / "dropped.png"
    file.write_bytes(encode_png(make_pixels(5), make_recipe("BCC", 4711)))
    drop(window, file)
    qtbot.waitUntil(lambda: window.session.picture.picture is not None)
    assert "BCC · seed 4711" in window.picture.recipe.line.text()
    assert '"seed": 4711' in window.picture.recipe.full.toPlainText()
    assert window.session.settings.get("generation.seed") == before


def drop(window: MainWindow, file: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    buttons, keys = Qt.MouseButtons(Qt.MouseButton.LeftButton), Qt.KeyboardModifiers()
    window.dropEvent(QDropEvent(QPoint(5, 5), Qt.DropActions(Qt.DropAction.CopyAction), data, buttons, keys))


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n half", b"no picture at all"])
def test_a_broken_file_is_refused_in_words(window: MainWindow, tmp_path: Path, qtbot, content: bytes) -> None:
    """Where the picture would be; a dialog each time would be in the way of whoever goes through a folder."""
    file = tmp_path / "broken.png"
    file.write_bytes(content)
    window.session.show_image(file)
    qtbot.waitUntil(lambda: window.session.picture.flaw is not None)
    assert window.picture.empty.isVisible()
    assert "broken.png" in window.picture.empty.heading
    assert not window._problems


def test_every_control_is_named_and_reachable(window: MainWindow) -> None:
    controls = (QAbstractButton, QComboBox, QSpinBox, QLineEdit)
    internal = ("qt_", "ScrollLeftButton", "ScrollRightButton")
    for widget in window.findChildren(QWidget):
        inside = isinstance(widget.parent(), (QSpinBox, QComboBox)) or widget.objectName().startswith(internal)
        if not isinstance(widget, controls) or inside or type(widget.parent()).__name__ in ("QTabBar", "QLineEdit"):
            continue
        name = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
        assert name, f"{type(widget).__name__} in {type(widget.parent()).__name__} has no name"
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus or isinstance(widget, QToolButton), name


def test_no_two_shortcuts_share_keys(window: MainWindow) -> None:
    keys = [QKeySequence(text).toString() + key.scope for key in window.keys for text in key.keys]
    buttons = [button.shortcut().toString() for button in window.findChildren(QAbstractButton)]
    keys += [shortcut for shortcut in buttons if shortcut]
    assert len(keys) == len(set(keys))
    assert all(keys)


def test_themes_switch_while_open(window: MainWindow) -> None:
    window.session.settings.set("ui.theme", "dark")
    assert window.palette().window().color().lightness() < 128
    window.session.settings.set("ui.theme", "light")
    assert window.palette().window().color().lightness() > 128


def test_lines_and_icons_follow_the_theme(window: MainWindow, qtbot) -> None:
    logging.getLogger("core.test").info("plain words")
    qtbot.waitUntil(lambda: "plain words" in window.log.text.toPlainText())
    window.picture.explain.facts.badge.show_verdict(GateVerdict("amber", ("It is close.",)))
    mark = window.setup.rows["DF"]._mark
    before = mark.icon().pixmap(16).toImage()
    window.session.settings.set("ui.theme", "dark")
    cursor = QTextCursor(window.log.text.document().firstBlock())
    cursor.movePosition(QTextCursor.MoveOperation.NextCharacter)
    assert cursor.charFormat().foreground().color().name() == DARK.text
    assert DARK.doubt in window.picture.explain.facts.badge._word.text()
    assert mark.icon().pixmap(16).toImage() != before


def test_logged_lines_are_shown_and_filtered(window: MainWindow, qtbot) -> None:
    logging.getLogger("core.test").warning("a rare warning")
    logging.getLogger("core.test").info("plain words")
    qtbot.waitUntil(lambda: "plain words" in window.log.text.toPlainText())
    window.log.filter.setText("RARE")
    assert "rare warning" in window.log.text.toPlainText()
    assert "plain words" not in window.log.text.toPlainText()
    window.log.filter.clear()
    window.log.level.setCurrentIndex(2)
    window.log.level.activated.emit(2)
    assert "plain words" not in window.log.text.toPlainText()


def test_the_disclaimer_is_always_there(window: MainWindow) -> None:
    texts = [child.text() for child in window.statusBar().children() if hasattr(child, "text")]
    assert "Research only, not a diagnosis" in texts
