"""The settings: made from the schema, judged as typed, in force at once, obeyed, exported, imported, reset."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QCheckBox, QComboBox, QFileDialog, QLineEdit

from core.config.config_manager import ConfigManager
from core.config.schema import SCHEMA
from core.utils.path_manager import PathManager
from gui.common.settings import SettingsModel
from gui.i18n import set_language
from gui.settings.changes_dialog import ChangesDialog
from gui.settings.settings_dialog import SettingsDialog
from gui.shell.main_window import MainWindow
from gui.shell.session import Session
from gui.shell.window_host import WindowHost
from gui.theme.palette import apply_theme
from tests.gui.conftest import Opener, fake_catalog
from tests.gui.fake_engine import FakeEngine


@pytest.fixture
def dialog(window: MainWindow) -> SettingsDialog:
    QTest.keyClick(window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    found = window.desk.dialog("settings")
    assert isinstance(found, SettingsDialog)
    return found


def type_into(dialog: SettingsDialog, key: str, text: str) -> QLineEdit:
    field = dialog.rows[key].field
    assert isinstance(field, QLineEdit)
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    return field


def test_every_setting_has_a_row_with_a_name_and_an_explanation(dialog: SettingsDialog) -> None:
    assert list(dialog.rows) == [setting.key for setting in SCHEMA]
    for row in dialog.rows.values():
        assert row.field.accessibleName() == row.setting.title
        assert row.field.accessibleDescription() == row.setting.description
        assert row.field.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert row.reset.accessibleName()
        assert not row.reset.isEnabled()
    assert not dialog.reset_all.isEnabled()


def test_a_wrong_number_is_refused_while_it_is_typed_and_nothing_changes(
    window: MainWindow, dialog: SettingsDialog
) -> None:
    settings = window.session.settings
    field = type_into(dialog, "generation.steps", "1001")
    row = dialog.rows["generation.steps"]
    assert row.reason.isVisible()
    assert row.reason.text() == "It takes a whole number from 1 to 1000."
    assert row.field.accessibleDescription() == row.reason.text()
    QTest.keyClick(field, Qt.Key.Key_Backspace)
    assert not row.reason.isVisible()  # 100
    assert settings.get("generation.steps") == 20
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert settings.get("generation.steps") == 100
    assert window.setup.advanced._content.steps.value() == 100
    assert dialog.isVisible()  # Return in a field closes nothing


@pytest.mark.parametrize(
    ("key", "text", "reason"),
    [
        ("generation.seed", "-1", "a whole number from 0 to"),
        ("generation.seed", "1.5", "a whole number"),
        ("generation.guidance", "fast", "a number from 0 to 50"),
        ("generation.guidance", "nan", "a number from 0 to 50"),
        ("xai.opacity", "1.01", "a number from 0 to 1"),
        ("paths.output", "here", "the full path of a folder"),
        ("cache.size_mb", "", "a whole number from 16"),
    ],
)
def test_reasons_are_the_schemas_own(dialog: SettingsDialog, key: str, text: str, reason: str) -> None:
    field = type_into(dialog, key, text) if text else type_into(dialog, key, "x")
    assert reason in dialog.rows[key].reason.text()
    assert field.property("refused") is True
    before = dialog._settings.get(key)
    dialog.accept()
    assert dialog._settings.get(key) == before


def test_a_decimal_comma_is_understood(dialog: SettingsDialog) -> None:
    type_into(dialog, "generation.guidance", "2,5")
    dialog.rows["generation.guidance"].commit()
    assert dialog._settings.get("generation.guidance") == 2.5
    assert dialog.rows["generation.guidance"].field.text() == "2.5"


def test_what_is_typed_is_kept_when_the_dialog_is_closed(window: MainWindow, dialog: SettingsDialog) -> None:
    type_into(dialog, "generation.seed", "77")
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert window.session.settings.get("generation.seed") == 77


def test_choices_and_switches_act_at_once(window: MainWindow, dialog: SettingsDialog) -> None:
    settings = window.session.settings
    sampler = dialog.rows["generation.sampler"].field
    assert isinstance(sampler, QComboBox)
    sampler.activated.emit(sampler.findText("DDIM"))
    assert (settings.get("generation.sampler"), settings.get("generation.steps")) == ("ddim", 50)
    switch = dialog.rows["generation.seed_random"].field
    assert isinstance(switch, QCheckBox)
    switch.click()
    assert settings.get("generation.seed_random") is True
    theme = dialog.rows["ui.theme"].field
    theme.activated.emit(theme.findText("dark"))
    assert settings.get("ui.theme") == "dark"
    device = dialog.rows["generation.device"].field
    assert [device.itemText(n).split(" · ")[0] for n in range(device.count())] == [
        "Automatic: Test GPU",
        "CPU",
        "Test GPU",
    ]
    device.activated.emit(2)
    assert settings.get("generation.device") == "cuda:0"


def test_what_is_changed_elsewhere_is_shown(window: MainWindow, dialog: SettingsDialog) -> None:
    window.session.settings.set("generation.seed", 9)
    assert dialog.rows["generation.seed"].field.text() == "9"
    assert dialog.rows["generation.seed"].reset.isEnabled()
    dialog.rows["generation.seed"].reset.click()
    assert window.session.settings.get("generation.seed") == 42
    assert not dialog.rows["generation.seed"].reset.isEnabled()


def test_folders_are_chosen_and_remembered_as_recent(
    window: MainWindow, dialog: SettingsDialog, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "there"))
    dialog.rows["paths.output"]._choose_folder()
    assert window.session.settings.output == tmp_path / "there"
    assert window.session.settings.recent("paths.output") == [str(tmp_path / "there")]
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "classifier.pth"), ""))
    dialog.rows["paths.classifier"]._choose_file()
    assert window.session.settings.classifier == tmp_path / "classifier.pth"


def test_a_path_that_leads_nowhere_is_allowed_and_said(
    window: MainWindow, dialog: SettingsDialog, tmp_path: Path, qtbot
) -> None:
    row = dialog.rows["paths.output"]
    type_into(dialog, "paths.output", str(tmp_path / "not yet"))
    row.commit()
    assert window.session.settings.output == tmp_path / "not yet"
    qtbot.waitUntil(lambda: row.note.isVisible())
    assert row.note.text() == "Nothing exists at this path now."
    type_into(dialog, "paths.output", str(tmp_path))
    row.commit()
    qtbot.waitUntil(lambda: dialog._files.is_idle)
    assert not row.note.isVisible()


def test_a_search_leaves_what_fits(dialog: SettingsDialog) -> None:
    def shown() -> list[str]:
        return [key for key, row in dialog.rows.items() if row.isVisibleTo(dialog)]

    dialog.search.setText("folder")
    assert shown() == ["paths.models", "paths.output", "paths.classifier"]
    assert [key for key, item in dialog._items.items() if not item.isHidden()] == ["paths"]
    dialog.search.setText("SEED random")
    assert shown() == ["generation.seed", "generation.seed_random"]
    dialog.search.setText("dark")  # a choice
    assert shown() == ["ui.theme"]
    dialog.search.setText("xyzzy")
    assert shown() == []
    assert dialog.nothing.isVisible()
    dialog.search.clear()
    assert len(shown()) == len(SCHEMA)


def preview(dialog: SettingsDialog) -> ChangesDialog:
    (found,) = [child for child in dialog.findChildren(ChangesDialog) if child.isVisible()]
    return found


def test_everything_is_reset_after_a_look_at_what_changes(window: MainWindow, dialog: SettingsDialog) -> None:
    settings = window.session.settings
    settings.set("generation.seed", 9)
    settings.set("xai.enabled", True)
    dialog.reset_all.click()
    look = preview(dialog)
    rows = [[look.list.topLevelItem(n).text(c) for c in range(3)] for n in range(look.list.topLevelItemCount())]
    assert rows == [["Base seed", "9", "42"], ["Explanations", "yes", "no"]]
    look.keep.click()
    assert settings.get("generation.seed") == 9
    dialog.reset_all.click()
    preview(dialog).action.click()
    assert settings.to_defaults() == ()


def test_settings_travel_by_file(window: MainWindow, dialog: SettingsDialog, tmp_path: Path, monkeypatch) -> None:
    settings, file = window.session.settings, tmp_path / "my.json"
    settings.set("generation.seed", 9)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), ""))
    dialog.export.click()
    settings.reset("generation.seed")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    dialog.read.click()
    assert settings.get("generation.seed") == 42  # not yet
    preview(dialog).action.click()
    assert settings.get("generation.seed") == 9


def test_a_bad_file_is_refused_in_words(
    window: MainWindow, dialog: SettingsDialog, tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "bad.json").write_text('{"generation": {"seed": 9, "steps": "many"}}')
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "bad.json"), ""))
    dialog.read.click()
    assert "bad.json" in dialog.message.text()
    assert "Nothing was changed" in dialog.message.text()
    assert window.session.settings.get("generation.seed") == 42
    assert dialog.findChildren(ChangesDialog) == []


@pytest.fixture
def stage(qapp, engine: FakeEngine, ring, qtbot) -> Iterator[WindowHost]:
    settings = SettingsModel(ConfigManager().load(), PathManager())
    settings.set("ui.language", "en")
    apply_theme(qapp, "light")
    stage = WindowHost(Session(engine, fake_catalog, settings, ring))
    stage.window.show()
    qtbot.waitUntil(lambda: stage.session.catalog.catalog is not None and stage.session.engine.info is not None)
    yield stage
    stage.window.close()
    stage.window.deleteLater()
    set_language("en")


def test_the_dialog_comes_back_in_the_language_chosen_in_it(stage: WindowHost, qtbot) -> None:
    stage.window.desk.show_settings()
    old = stage.window.desk.dialog("settings")
    old.search.setText("ui.")
    type_into(old, "generation.seed", "5")
    language = old.rows["ui.language"].field
    with qtbot.waitSignal(stage.replaced):
        language.activated.emit(language.findText("Русский"))
    qtbot.waitUntil(lambda: stage.window.desk.dialog("settings") is not None)
    new = stage.window.desk.dialog("settings")
    assert isinstance(new, SettingsDialog)
    assert new is not old
    assert new.search.text() == "ui."
    assert new.rows["ui.language"].field.currentText() == "Русский"
    assert stage.session.settings.get("generation.seed") == 5
    new.close()
    assert stage.window.desk.dialog("settings") is None or not new.isVisible()


def test_settings_that_something_running_obeys(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    settings = window.session.settings
    settings.set("performance.threads", 3)
    assert engine.threads == 3
    settings.set("generation.count", 8)
    assert set(window.session.classes.counts().values()) == {8}
    assert window.setup._same.value() == 8
    cache = window.session._effects._thumbnails
    settings.set("cache.size_mb", 16)
    assert cache.max_bytes == 16 * 2**20


def test_threads_chosen_before_are_told_to_the_engine_at_the_start(open_window: Opener, engine: FakeEngine) -> None:
    config = ConfigManager().load()
    config.set("performance.threads", 2)
    config.save()
    open_window()
    assert engine.threads == 2


def test_folders_chosen_once_are_there_at_the_next_start(open_window: Opener, tmp_path: Path, monkeypatch) -> None:
    first = open_window()
    first.desk.show_settings()
    dialog = first.desk.dialog("settings")
    for key in ("paths.models", "paths.output"):
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, key=key: str(tmp_path / key))
        dialog.rows[key]._choose_folder()
    dialog.close()
    first.close()
    second = open_window().session.settings
    assert (second.models, second.output) == (tmp_path / "paths.models", tmp_path / "paths.output")


def test_the_dialog_is_in_the_menu_and_there_once(window: MainWindow, dialog: SettingsDialog) -> None:
    (action,) = [action for action in window.top.panels.menu().actions() if action.text().startswith("Settings…")]
    action.trigger()
    assert window.desk.dialog("settings") is dialog
    assert len(window.findChildren(SettingsDialog)) == 1


def test_the_chooser_of_samplers_offers_what_is_in_the_registry(window):
    from core.samplers import SAMPLERS, Sampler
    from gui.run.advanced import AdvancedOptions

    SAMPLERS.add(Sampler("backwards", "Backwards", "Steps backwards.", 7, lambda config, steps: None))
    try:
        combo = AdvancedOptions(window.session.settings).sampler
        assert combo.itemText(combo.findData("backwards")) == "Backwards"
    finally:
        SAMPLERS.remove("backwards")
