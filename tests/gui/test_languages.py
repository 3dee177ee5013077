"""The language is switched while everything goes on: a new window, the same session, nothing left of the old one."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from PyQt5.QtCore import QCoreApplication, QEvent, QLocale
from PyQt5.QtWidgets import QApplication, QDialog, QDialogButtonBox, QWidget

from core.cancel import StopMode
from core.config.config_manager import ConfigManager
from core.utils.path_manager import PathManager
from dataset.png import encode_png
from gui.common.settings import SettingsModel
from gui.i18n import current, set_language, tr
from gui.shell.main_window import MainWindow
from gui.shell.session import Session
from gui.shell.window_host import WindowHost
from gui.theme.palette import apply_theme
from tests.gui.conftest import fake_catalog
from tests.gui.fake_engine import make_pixels, make_recipe

ALONE: Final = "ISICGUI_TEST_ALONE"
"""Environment variable of a process that runs one test."""


@pytest.fixture(autouse=True)
def _english_afterwards() -> Iterator[None]:
    before = QLocale()
    yield
    set_language("en")
    QLocale.setDefault(before)


@pytest.fixture
def stage(qapp, engine, ring, qtbot, output) -> Iterator[WindowHost]:
    for number in (1, 2, 3):
        path = output / "NV" / f"ISIC_{number:07d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(make_pixels(number), make_recipe("NV", number)))
    settings = SettingsModel(ConfigManager().load(), PathManager())
    settings.set("ui.language", "en")
    apply_theme(qapp, "light")
    stage = WindowHost(Session(engine, fake_catalog, settings, ring))
    stage.window.show()
    session = stage.session
    qtbot.waitUntil(lambda: session.catalog.catalog is not None and session.engine.info is not None)
    qtbot.waitUntil(lambda: session.gallery.rowCount() == 3 and not session.gallery.scanning)
    yield stage
    engine.gate.set()
    session.run.stop(StopMode.NOW)
    qtbot.waitUntil(lambda: not session.run.busy)
    stage.window.close()
    stage.window.deleteLater()


def switch(stage: WindowHost, qtbot, code: str) -> MainWindow:
    """Choose a language and return the window that speaks it."""
    with qtbot.waitSignal(stage.replaced):
        stage.session.settings.set("ui.language", code)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return stage.window


def parts_of(window: MainWindow) -> list[weakref.ref[QWidget]]:
    """Return the window and every widget in it that is made by this program."""
    return [
        weakref.ref(widget)
        for widget in [window, *window.findChildren(QWidget)]
        if type(widget).__module__.startswith("gui.")
    ]


def gone(parts: list[weakref.ref[QWidget]]) -> bool:
    gc.collect()
    return not any(part() for part in parts)


def test_the_window_speaks_each_language_while_a_run_goes_on(stage, engine, qtbot):
    session = stage.session
    engine.show_every_step(session.run)
    session.classes.set_all_counts(100)
    session.start()
    qtbot.waitUntil(lambda: session.run.done >= 1)
    starts = {current(): stage.window.setup.start.text()}
    for code in ("ru", "zh", "en"):
        done = session.run.done
        window = switch(stage, qtbot, code)
        assert session.run.busy
        assert window.setup.controls.stop.isEnabled()
        starts[code] = window.setup.start.text()
        qtbot.waitUntil(lambda done=done: session.run.done > done)
        shown = window.progress.count
        qtbot.waitUntil(lambda shown=shown: shown.text().startswith(f"{session.run.done} /"))
    assert len(set(starts.values())) == 3
    assert len(engine.requests) == 1


def test_nothing_is_left_of_the_old_window_in_a_fresh_process():
    """In a process of its own: what hundreds of other tests have left behind can hold a window as well."""
    test = f"{Path(__file__)}::{test_nothing_is_left_of_the_old_window.__name__}"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", test]
    done = subprocess.run(command, env={**os.environ, ALONE: "1"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.skipif(ALONE not in os.environ, reason="runs in a process of its own, see the test before")
def test_nothing_is_left_of_the_old_window(stage, qtbot):
    """Whatever is still connected to the session would keep its widget alive, and act on it after its end."""
    old = parts_of(stage.window)
    assert len(old) > 50
    switch(stage, qtbot, "ru")
    qtbot.waitUntil(lambda: gone(old))  # what PyQt itself still holds goes in the next turns of the event loop
    assert [w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow)] == [stage.window]


def test_the_session_is_opened_once(stage, engine, qtbot):
    scanned = []
    stage.session.gallery.modelReset.connect(lambda: scanned.append(1))
    switch(stage, qtbot, "ru")
    qtbot.wait(100)
    assert scanned == []


def test_what_was_chosen_stays_chosen(stage, qtbot):
    window, session = stage.window, stage.session
    window.gallery.step(1)
    window.gallery.step(1)
    qtbot.waitUntil(lambda: session.picture.picture is not None)
    shown = session.picture.picture.path
    window.picture.tabs.setCurrentIndex(3)
    window.setup.advanced.set_open(True)
    window.log.filter.setText("NV")
    window.resize(1111, 777)
    window.docks[2].hide()
    names = [item.name for item in window.gallery.selected()]
    window = switch(stage, qtbot, "zh")
    assert session.picture.picture.path == shown
    assert [item.name for item in window.gallery.selected()] == names
    assert window.picture.tabs.currentIndex() == 3
    assert window.setup.advanced.is_open
    assert window.log.filter.text() == "NV"
    assert (window.width(), window.height()) == (1111, 777)
    assert not window.docks[2].isVisible()


def test_an_open_dialog_is_not_taken_away(stage, qtbot):
    old = stage.window
    dialog = QDialog(old)
    dialog.open()
    stage.session.settings.set("ui.language", "ru")
    qtbot.wait(50)
    assert stage.window is old
    with qtbot.waitSignal(stage.replaced):
        dialog.accept()
    assert stage.window is not old


def test_a_run_that_ends_later_closes_the_new_window_if_that_was_asked(stage, engine, qtbot):
    engine.gate.clear()
    stage.session.start()
    qtbot.waitUntil(lambda: stage.session.run.busy)
    window = switch(stage, qtbot, "ru")
    window.close()
    assert window.isVisible()
    engine.gate.set()
    qtbot.waitUntil(lambda: not stage.session.run.busy)


@pytest.mark.parametrize(("code", "cancel", "number"), [("ru", "Отмена", "0,5"), ("zh", "取消", "0.5")])
def test_qts_own_words_and_numbers_follow(qapp, code, cancel, number):
    set_language(code)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    assert buttons.button(QDialogButtonBox.StandardButton.Cancel).text() == cancel
    assert QLocale().toString(0.5) == number
    assert tr("{method} {value:+.2f}").format(method="IG", value=-0.5) == f"IG \N{MINUS SIGN}{number}0"


@pytest.mark.parametrize("code", ["ru", "zh"])
def test_standard_buttons_are_translated_without_the_files_of_qt(qapp, code, monkeypatch):
    monkeypatch.setattr("gui.i18n.qt_words.FILES", {code: "no-such-file"})
    set_language(code)
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel | QDialogButtonBox.StandardButton.RestoreDefaults)
    assert [button.text() for button in box.buttons()] == [tr("Cancel"), tr("Restore the defaults")]
    assert tr("Cancel") != "Cancel"


def test_windows_that_ask_nothing_open_again_in_the_language(stage, qtbot, tmp_path):
    """Neither the training dialog nor a report waits for an answer; what they show belongs to the session."""
    stage.window.desk.show_training()
    stage.window.desk.show_report(tmp_path)
    title = stage.window.desk.dialog("training").windowTitle()
    window = switch(stage, qtbot, "zh")
    qtbot.waitUntil(lambda: window.desk.dialog("training") is not None and window.desk.reports() == [tmp_path])
    assert window.desk.dialog("training").windowTitle() != title
    window.desk.dialog("training").close()
