"""Looking at something changes no setting: neither opening the window nor walking through its tabs and dialogs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.config.config_manager import ConfigManager
from core.config.schema import SCHEMA, Setting
from gui.explain.explain import ExplainState
from gui.shell.main_window import MainWindow
from tests.gui.conftest import Opener
from tests.gui.dialogs import DIALOGS
from tests.gui.explaining import EXPLAIN, make_image, show, wait_ready
from tests.gui.fake_engine import FakeEngine
from tests.gui.test_run import ask_for, wait_idle

IMAGE = 0
KEPT_AS_IT_IS = ("ui.language", "ui.theme", "generation.device")
"""Texts whose other values would make another window."""


def unusual(setting: Setting, *, highest: bool) -> Any:
    """A value that no widget shows by itself: the ends of a range, and more digits than anybody types."""
    if setting.type is bool:
        return not setting.default
    if setting.type is int:
        return setting.maximum if highest else setting.minimum
    if setting.type is float:
        return 0.5554321 if highest else 0.1234567
    choices = [value for value in setting.known_choices if value != setting.default]
    return choices[-1] if choices else setting.default


def write_settings(*, highest: bool) -> dict[str, Any]:
    config = ConfigManager().load()
    for setting in SCHEMA:
        if setting.key not in KEPT_AS_IT_IS:
            config.set(setting.key, unusual(setting, highest=highest))
    config.set("xai.enabled", False)
    config.save()
    return config.chosen()


def chosen_in_file() -> dict[str, Any]:
    return ConfigManager().load().chosen()


@pytest.mark.parametrize("highest", [True, False])
def test_walking_through_the_window_changes_no_setting(open_window: Opener, qtbot, highest: bool) -> None:
    before = write_settings(highest=highest)
    window = open_window()
    assert window.session.settings.chosen() == before
    for tab in range(window.picture.tabs.count()):
        window.picture.tabs.setCurrentIndex(tab)
    window.setup.advanced.set_open(True)
    window.toggle_panels()
    window.toggle_panels()
    qtbot.wait(20)
    assert window.session.settings.chosen() == before
    window.close()
    assert chosen_in_file() == before


@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog_that_is_opened_and_closed_changes_no_setting(open_window: Opener, qtbot, name: str) -> None:
    before = write_settings(highest=True)
    window = open_window()
    dialog = DIALOGS[name](window)
    dialog.show()
    qtbot.wait(10)
    dialog.close()
    assert window.session.settings.chosen() == before


def test_looking_at_the_explanation_of_an_image_leaves_later_runs_as_they_were(
    open_window: Opener, engine: FakeEngine, output: Path, tmp_path: Path, qtbot
) -> None:
    window = open_window()
    image = make_image(tmp_path, "a.png", 1)
    show(window, image, qtbot)
    window.picture.tabs.setCurrentIndex(EXPLAIN)
    wait_ready(window, qtbot)
    assert engine.explained == [image]
    assert not window.session.settings.get("xai.enabled")
    assert not window.top.explain.isChecked()
    ask_for(window, MEL=1)
    window.setup.start.click()
    wait_idle(window, qtbot)
    assert engine.requests[0].xai_every == 0
    assert engine.saved == []
    window.close()
    assert not chosen_in_file().get("xai.enabled")


def test_the_next_image_is_explained_while_the_tab_is_looked_at_and_not_after(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, qtbot
) -> None:
    images = [make_image(tmp_path, f"{name}.png", seed) for seed, name in enumerate("abc")]
    window.picture.tabs.setCurrentIndex(EXPLAIN)
    for image in images[:2]:
        show(window, image, qtbot)
        wait_ready(window, qtbot)
        assert window.picture.tabs.currentIndex() == EXPLAIN
    window.picture.tabs.setCurrentIndex(IMAGE)
    assert window.session.explain.state is ExplainState.OFF
    show(window, images[2], qtbot)
    qtbot.wait(30)
    assert engine.explained == images[:2]
    window.picture.tabs.setCurrentIndex(EXPLAIN)
    wait_ready(window, qtbot)
    assert engine.explained == images


def test_the_switch_stays_on_when_the_tab_is_left(window: MainWindow, tmp_path: Path, qtbot) -> None:
    show(window, make_image(tmp_path, "a.png", 1), qtbot)
    window.top.explain.click()
    wait_ready(window, qtbot)
    window.picture.tabs.setCurrentIndex(IMAGE)
    assert window.top.explain.isChecked()
    assert window.session.explain.state is ExplainState.READY


def test_the_opacity_is_kept_to_the_last_digit_until_somebody_moves_it(window: MainWindow) -> None:
    settings, slider = window.session.settings, window.picture.explain.opacity
    settings.set("xai.opacity", 0.555)
    assert settings.get("xai.opacity") == 0.555
    slider.setValue(slider.value() - 5)
    assert settings.get("xai.opacity") == slider.value() / 100
