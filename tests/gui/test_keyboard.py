"""The keyboard: keys that can be changed, told everywhere, remembered; the list of them and the palette."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QApplication, QDialog, QFileDialog, QToolButton

from core.config.config_manager import ConfigManager
from core.utils.path_manager import PathManager
from gui.common.keys import STORED, Area, Key, KeysModel
from gui.common.settings import SettingsModel
from gui.help.command_palette import CommandPalette, fitting
from gui.help.shortcuts_dialog import ShortcutsDialog
from gui.shell.main_window import MainWindow
from tests.gui.conftest import Opener
from tests.gui.fake_engine import FakeEngine
from tests.gui.test_run import ask_for, wait_idle

TABLE = (
    Key(("J", "Alt+Right"), "Next image", lambda: None, "next", Area.GALLERY),
    Key(("K",), "Previous image", lambda: None, "previous", Area.GALLERY),
    Key(("Ctrl+Return",), "Start", lambda: None, "start", Area.RUN),
    Key((), "Nothing yet", lambda: None, "free"),
    Key(("Del",), "Delete", lambda: None, "delete", Area.GALLERY),
    Key(("Del",), "Out of the queue", lambda: None, "queue-remove", Area.QUEUE, "queue"),
)


@pytest.fixture
def keys(qapp: QApplication) -> KeysModel:
    return again()


def again() -> KeysModel:
    """The keys as the next start finds them."""
    model = KeysModel(SettingsModel(ConfigManager().load(), PathManager()))
    model.define(TABLE)
    return model


def stored(text: str) -> KeysModel:
    settings = SettingsModel(ConfigManager().load(), PathManager())
    settings.remember(STORED, text)
    model = KeysModel(settings)
    model.define(TABLE)
    return model


def test_what_is_chosen_is_there_at_the_next_start(keys: KeysModel) -> None:
    keys.assign("next", ["N", "ctrl+n"])
    keys.assign("start", [])
    keys._settings.save()
    found = again()
    assert found.keys_of("next") == ("N", "Ctrl+N")
    assert found.keys_of("start") == ()
    assert found.keys_of("previous") == ("K",)
    assert [found.is_changed(command) for command in ("next", "start", "previous")] == [True, True, False]


def test_rewording_and_reordering_lose_nothing(keys: KeysModel) -> None:
    keys.assign("next", ["N"])
    keys._settings.save()
    model = KeysModel(SettingsModel(ConfigManager().load(), PathManager()))
    model.define([Key(("J",), "Das nächste Bild", lambda: None, "next"), *TABLE[2:]])
    assert model.keys_of("next") == ("N",)


def test_a_key_belongs_to_one_command(keys: KeysModel) -> None:
    keys.assign("next", ["K"])
    assert keys.keys_of("previous") == ()
    assert keys.owner_of("K", "").id == "next"
    keys.reset("previous")
    assert keys.keys_of("previous") == ("K",)
    assert keys.keys_of("next") == ()


def test_a_default_of_a_later_version_does_not_take_a_chosen_key(keys: KeysModel) -> None:
    keys.assign("free", ["Ctrl+Return"])
    assert keys.keys_of("start") == ()
    keys.define((*TABLE, Key(("Ctrl+Return", "F9"), "New in this version", lambda: None, "new")))
    assert keys.keys_of("new") == ("F9",)


def test_keys_are_swapped(keys: KeysModel) -> None:
    keys.swap("previous", "J")
    assert keys.keys_of("previous") == ("J",)
    assert keys.keys_of("next") == ("Alt+Right", "K")


def test_a_part_of_the_window_has_keys_of_its_own(keys: KeysModel) -> None:
    keys.assign("queue-remove", ["K"])
    assert keys.keys_of("previous") == ("K",)
    assert keys.keys_of("delete") == ("Del",)


def test_all_keys_can_be_given_back(keys: KeysModel) -> None:
    keys.assign("next", ["K"])
    keys.assign("start", ["F5"])
    keys.reset_all()
    assert not any(keys.is_changed(key.id) for key in TABLE)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"next": 3}', '{"next": [4]}', '{"gone": ["Q"]}', '"J"'])
def test_what_cannot_be_read_was_not_chosen(text: str) -> None:
    keys = stored(text)
    assert keys.keys_of("previous") == ("K",)
    assert keys.keys_of("next") in (("J", "Alt+Right"), ())


def test_two_commands_of_one_name_are_a_mistake(keys: KeysModel) -> None:
    with pytest.raises(ValueError, match="start"):
        keys.define((TABLE[2], TABLE[2]))


def press(window: MainWindow, qtbot, key: int, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.waitActive(window) if not window.isActiveWindow() else None
    qtbot.keyClick(QApplication.focusWidget() or window, key, modifier)


def tooltip(window: MainWindow, command: str) -> str:
    (button,) = [b for b in window.findChildren(QToolButton) if b.property("command") == command]
    return str(button.toolTip())


def test_other_keys_act_at_once_and_are_told(window: MainWindow, qtbot) -> None:
    assert tooltip(window, "pixels").endswith("(S)")
    window.session.keys.assign("pixels", ["F7"])
    assert tooltip(window, "pixels").endswith("(F7)")
    press(window, qtbot, Qt.Key.Key_S)
    assert not window.picture.pixels.isChecked()
    press(window, qtbot, Qt.Key.Key_F7)
    assert window.picture.pixels.isChecked()
    window.session.keys.assign("pixels", [])
    assert "(" not in tooltip(window, "pixels")


def test_tooltips_that_change_keep_their_key(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    pause = window.setup.controls.pause
    engine.gate.clear()
    ask_for(window, MEL=1)
    window.setup.start.click()
    qtbot.waitUntil(lambda: window.session.run.total == 1)
    assert pause.toolTip() == "Wait after this denoising step (P)"
    window.session.run.toggle_pause()
    qtbot.waitUntil(lambda: pause.toolTip().startswith("Continue"))
    assert pause.toolTip() == "Continue the image being generated (P)"
    window.session.keys.assign("pause", ["F8"])
    assert pause.toolTip() == "Continue the image being generated (F8)"
    assert "F8" not in pause.accessibleName()


def test_menus_tell_the_keys_in_force(window: MainWindow) -> None:
    texts = lambda: [action.text() for action in window.top.panels.menu().actions()]  # noqa: E731
    assert "Hide or show all panels\tF11" in texts()
    window.session.keys.assign("panels", ["F12"])
    assert "Hide or show all panels\tF12" in texts()


def test_delete_in_the_queue_takes_a_run_and_no_image(window: MainWindow, qtbot) -> None:
    ask_for(window, MEL=2)
    window.setup.start.click()
    wait_idle(window, qtbot)
    ask_for(window, MEL=1)
    window.session.queue_up()
    window.session.queue_up()
    view = window.queue.list
    view.setCurrentIndex(window.session.queue.index(0))
    view.setFocus()
    press(window, qtbot, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert view.currentIndex().row() == 1
    press(window, qtbot, Qt.Key.Key_Delete)
    assert len(window.session.queue.runs) == 1
    assert window.session.gallery.rowCount() == 2
    window.gallery.list.setFocus()
    qtbot.waitUntil(lambda: len(window.gallery.selected()) == 1)
    press(window, qtbot, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: window.session.gallery.rowCount() == 1)
    assert len(window.session.queue.runs) == 1


@pytest.fixture
def dialog(window: MainWindow, qtbot) -> ShortcutsDialog:
    window.help.show_keys()
    found = window.help.dialog("keys")
    assert isinstance(found, ShortcutsDialog)
    qtbot.waitUntil(found.isVisible)
    return found


def record(dialog: ShortcutsDialog, qtbot, command: str, key: int, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    dialog.choose(command)
    dialog.change.click()
    qtbot.keyClick(dialog.recorder, key, modifier)


def test_every_command_is_listed_under_its_area(dialog: ShortcutsDialog, window: MainWindow) -> None:
    assert set(dialog._rows) == {key.id for key in window.keys}
    assert dialog._rows["queue-remove"].parent().text(0) == "Queue"


def test_the_list_is_searched_by_words_and_keys(dialog: ShortcutsDialog) -> None:
    shown = lambda: {c for c, item in dialog._rows.items() if not item.isHidden()}  # noqa: E731
    dialog.search.setText("run up")
    assert shown() == {"queue-up"}
    assert [group.text(0) for group in dialog._groups if not group.isHidden()] == ["Queue"]
    dialog.search.setText("f11")
    assert shown() == {"panels"}


def test_keys_are_changed_by_pressing_them(dialog: ShortcutsDialog, window: MainWindow, qtbot) -> None:
    record(dialog, qtbot, "pixels", Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    assert window.session.keys.keys_of("pixels") == ("Ctrl+G",)
    assert dialog._rows["pixels"].text(1) == "Ctrl+G"
    assert dialog._rows["pixels"].text(2) == "changed"
    dialog.add.click()
    qtbot.keyClick(dialog.recorder, Qt.Key.Key_F7)
    assert window.session.keys.keys_of("pixels") == ("Ctrl+G", "F7")
    dialog.reset.click()
    assert window.session.keys.keys_of("pixels") == ("S",)
    dialog.remove.click()
    assert dialog._rows["pixels"].text(1) == "none"
    dialog.reset_all.click()
    assert dialog._rows["pixels"].text(2) == ""


def test_a_key_of_another_command_is_told_and_exchanged_or_left(
    dialog: ShortcutsDialog, window: MainWindow, qtbot
) -> None:
    record(dialog, qtbot, "pause", Qt.Key.Key_X)
    assert dialog.words.text() == "X already belongs to “Reject the image, or undo the rejection”."
    assert dialog.swap.isVisible()
    dialog.cancel.click()
    assert window.session.keys.keys_of("pause") == ("P",)
    record(dialog, qtbot, "pause", Qt.Key.Key_X)
    dialog.swap.click()
    assert window.session.keys.keys_of("pause") == ("X",)
    assert window.session.keys.keys_of("reject") == ("P",)


def test_the_key_that_stops_can_be_recorded_and_stops_nothing(
    dialog: ShortcutsDialog, window: MainWindow, qtbot
) -> None:
    window.session.keys.assign("stop", ["F10"])
    record(dialog, qtbot, "fit", Qt.Key.Key_Escape)
    assert window.session.keys.keys_of("fit") == ("Esc",)
    assert dialog.isVisible()


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Down, Qt.Key.Key_Return])
def test_keys_that_move_about_are_refused_in_words(dialog: ShortcutsDialog, window, qtbot, key: int) -> None:
    record(dialog, qtbot, "fit", key)
    assert "is needed to move about" in dialog.words.text()
    assert window.session.keys.keys_of("fit") == ("F",)


def test_recording_is_left_with_tab(dialog: ShortcutsDialog, window: MainWindow, qtbot) -> None:
    record(dialog, qtbot, "fit", Qt.Key.Key_Shift)
    assert dialog.recorder.isVisible()
    qtbot.keyClick(dialog.recorder, Qt.Key.Key_Tab)
    assert not dialog.recorder.isVisible()
    assert window.session.keys.keys_of("fit") == ("F",)


def test_a_sign_that_needs_shift_is_known_by_itself(dialog: ShortcutsDialog, window: MainWindow, qtbot) -> None:
    dialog.choose("fit")
    dialog.change.click()
    qtbot.keyClick(dialog.recorder, "*", Qt.KeyboardModifier.ShiftModifier)
    assert window.session.keys.keys_of("fit") == ("*",)


@pytest.fixture
def command_palette(window: MainWindow, qtbot) -> CommandPalette:
    press(window, qtbot, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    found = window.help.dialog("palette")
    assert isinstance(found, CommandPalette)
    return found


def test_the_palette_finds_and_runs(command_palette: CommandPalette, window: MainWindow, qtbot) -> None:
    assert len(command_palette.found) == len(window.keys)
    qtbot.keyClicks(command_palette.search, "pixels instead")
    assert command_palette.found == ("pixels",)
    qtbot.keyClick(command_palette.search, Qt.Key.Key_Return)
    qtbot.waitUntil(window.picture.pixels.isChecked)
    assert window.help.dialog("palette") is None


def test_the_arrows_choose_while_words_are_typed(command_palette: CommandPalette, window: MainWindow, qtbot) -> None:
    qtbot.keyClicks(command_palette.search, "zoom")
    assert command_palette.found == ("zoom-in", "zoom-out")
    before = window.picture.view.zoom
    qtbot.keyClick(command_palette.search, Qt.Key.Key_Down)
    qtbot.keyClick(command_palette.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.picture.view.zoom < before)


def test_what_would_do_nothing_now_says_so_and_does_nothing(command_palette: CommandPalette, qtbot) -> None:
    qtbot.keyClicks(command_palette.search, "pause")
    item = command_palette._items[0]
    assert (item.text(1), item.isDisabled()) == ("not now", True)
    qtbot.keyClick(command_palette.search, Qt.Key.Key_Return)
    assert command_palette.isVisible()


def test_commands_that_begin_with_the_words_come_first() -> None:
    found = fitting(TABLE, "n")
    assert [key.id for key in found][:2] == ["next", "free"]
    assert fitting(TABLE, "image prev") == [TABLE[1]]


def test_changed_keys_come_back_in_the_next_window(open_window: Opener, qtbot) -> None:
    first = open_window()
    first.session.keys.assign("fit", ["F7"])
    first.close()
    second = open_window()
    assert second.session.keys.keys_of("fit") == ("F7",)
    assert tooltip(second, "fit") == "Fit (F7)"


def test_the_focus_goes_from_part_to_part(window: MainWindow, qtbot) -> None:
    seen = []
    parts = (window.top, window.centralWidget(), *window.docks)
    for _ in range(len(parts)):
        press(window, qtbot, Qt.Key.Key_F6)
        focus = QApplication.focusWidget()
        seen += [part for part in parts if part.isAncestorOf(focus)]
    assert set(seen) == set(parts)
    last = seen[-1]
    press(window, qtbot, Qt.Key.Key_F6, Qt.KeyboardModifier.ShiftModifier)
    press(window, qtbot, Qt.Key.Key_F6)
    assert last.isAncestorOf(QApplication.focusWidget())


def test_state_knows_no_widgets() -> None:
    text = (Path(__file__).resolve().parents[2] / "gui" / "common" / "keys.py").read_text(encoding="utf-8")
    assert "QtWidgets" not in text


def test_every_command_runs_whatever_there_is_to_run_it_on(window: MainWindow, qtbot, monkeypatch) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    monkeypatch.setattr("gui.gallery.picture_panel.open_path", lambda path: None)
    for key in window.keys:
        if key.id != "close":
            key.action()
            qtbot.wait(1)
            if window.help.tour:
                window.help.tour.end()
            for dialog in window.findChildren(QDialog):
                dialog.close()
    wait_idle(window, qtbot)
    assert window.isVisible()


def test_the_enter_key_of_the_number_pad_counts_as_return(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    keypad = Qt.KeyboardModifiers(Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.KeypadModifier)
    ask_for(window, MEL=1)
    press(window, qtbot, Qt.Key.Key_Enter, keypad)
    qtbot.waitUntil(lambda: len(engine.requests) == 1)
    wait_idle(window, qtbot)


def test_letters_go_into_fields_and_do_nothing_else(window: MainWindow, qtbot) -> None:
    window.log.filter.setFocus()
    qtbot.keyClicks(window.log.filter, "sxe")
    assert window.log.filter.text() == "sxe"
    assert not window.picture.pixels.isChecked()
    assert not window.session.settings.get("xai.enabled")
