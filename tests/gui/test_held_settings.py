"""What a run works with stays as it is until the run has ended, whichever way somebody asks for something else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtWidgets import QFileDialog, QLabel

from core.config.transfer import Change
from gui.gallery.gallery import GalleryModel
from gui.settings.settings_dialog import SettingsDialog
from gui.shell.main_window import MainWindow
from tests.gui.fake_engine import FakeEngine
from tests.gui.test_run import ask_for, wait_idle

HELD = ("paths.models", "paths.output", "generation.device")


@pytest.fixture
def running(window: MainWindow, engine: FakeEngine, qtbot) -> MainWindow:
    engine.gate.clear()
    ask_for(window, MEL=2)
    window.setup.start.click()
    qtbot.waitUntil(lambda: window.session.run.total == 2)
    return window


def settings_of(window: MainWindow) -> SettingsDialog:
    window.desk.show_settings()
    dialog = window.desk.dialog("settings")
    assert isinstance(dialog, SettingsDialog)
    return dialog


@pytest.mark.parametrize("key", HELD)
def test_the_dialog_shows_what_a_run_holds_and_why_it_cannot_be_changed(
    running: MainWindow, engine: FakeEngine, qtbot, key: str
) -> None:
    dialog = settings_of(running)
    row = dialog.rows[key]
    assert not row.field.isEnabled()
    assert not row.reset.isEnabled()
    assert "run" in row.note.text()
    assert row.note.isVisibleTo(row)
    assert dialog.rows["ui.theme"].field.isEnabled()
    engine.gate.set()
    wait_idle(running, qtbot)
    assert row.field.isEnabled()
    assert not row.note.isVisibleTo(row)


def _ask_by_key(window: MainWindow, folder: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    next(key for key in window.keys if key.id == "choose-output").action()


def _ask_by_import(window: MainWindow, folder: Path, monkeypatch: Any) -> None:
    settings = window.session.settings
    schema = next(setting for setting in _schema() if setting.key == "paths.output")
    settings.apply([Change(schema, settings.get("paths.output"), str(folder))])


def _ask_by_model(window: MainWindow, folder: Path, monkeypatch: Any) -> None:
    window.session.settings.choose_folder("paths.output", folder)


def _schema() -> Any:
    from core.config.schema import SCHEMA

    return SCHEMA


@pytest.mark.parametrize("ask", [_ask_by_key, _ask_by_import, _ask_by_model])
def test_another_output_folder_counts_when_the_run_has_ended_and_that_is_said(
    running: MainWindow, engine: FakeEngine, output: Path, tmp_path: Path, qtbot, monkeypatch, ask: Callable[..., None]
) -> None:
    session, elsewhere = running.session, tmp_path / "elsewhere"
    told: list[str] = []
    session.told.connect(told.append)
    ask(running, elsewhere, monkeypatch)
    assert session.settings.output == output
    assert any("Output folder" in words and "run" in words for words in told)
    engine.gate.set()
    wait_idle(running, qtbot)
    assert len(list(output.glob("MEL/*.png"))) == 2
    assert not elsewhere.exists()
    assert session.settings.output == elsewhere
    gallery: GalleryModel = session.gallery
    assert gallery.output == elsewhere


def test_what_is_taken_back_during_the_run_does_not_come_after_it(
    running: MainWindow, engine: FakeEngine, output: Path, tmp_path: Path, qtbot
) -> None:
    settings = running.session.settings
    before = settings.get("paths.output")
    settings.set("paths.output", str(tmp_path / "elsewhere"))
    settings.set("paths.output", before)
    engine.gate.set()
    wait_idle(running, qtbot)
    assert settings.get("paths.output") == before


def test_a_window_that_is_closed_in_a_run_keeps_what_was_chosen_for_the_next(
    running: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot
) -> None:
    running.session.settings.choose_folder("paths.output", tmp_path / "elsewhere")
    running.leave()
    qtbot.waitUntil(lambda: not running.isVisible())
    from core.config.config_manager import ConfigManager

    assert ConfigManager().load().text("paths.output") == str(tmp_path / "elsewhere")


def test_a_row_of_a_held_setting_has_room_for_its_note(running: MainWindow, qtbot) -> None:
    row = settings_of(running).rows["paths.output"]
    qtbot.wait(30)
    note: QLabel = row.note
    assert note.height() >= note.heightForWidth(note.width())
