"""What is not known yet is not told as if it were; what is told in one unit stays in it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QLabel

from gui.common.engine_model import EngineState
from gui.common.memory import Memory
from gui.gallery import scan_thread
from gui.shell.main_window import MainWindow
from gui.shell.session import Session
from tests.gui.conftest import Opener, fake_catalog
from tests.gui.explaining import EXPLAIN, make_image, show, wait_ready
from tests.gui.fake_engine import FakeEngine
from tests.gui.test_run import ask_for, wait_idle
from tests.support.patience import PATIENCE

TOO_EARLY = ("No images yet", "Your first images are one click away", "0.0 / 0 GB", "0 GB", ": none")


def words_in(window: MainWindow) -> str:
    labels = [label.text() for label in window.findChildren(QLabel) if label.isVisibleTo(window)]
    places = (window.gallery._empty, window.picture.empty)
    return "\n".join([*labels, *(place.heading for place in places)])


def test_a_window_that_has_not_looked_yet_says_nothing_it_does_not_know(
    engine: FakeEngine, ring, qapp, qtbot, tmp_path
) -> None:
    from core.config.config_manager import ConfigManager
    from core.utils.path_manager import PathManager
    from gui.common.settings import SettingsModel

    settings = SettingsModel(ConfigManager().load(), PathManager())
    window = MainWindow(Session(engine, fake_catalog, settings, ring))
    told = words_in(window)
    assert [words for words in TOO_EARLY if words in told] == []
    assert "Reading the folder…" in told
    assert "Reading the models…" in told
    window.session.close()


def test_an_empty_folder_is_called_empty_only_when_it_has_been_read(
    open_window: Opener, output: Path, qtbot, monkeypatch
) -> None:
    gate = threading.Event()
    read = scan_thread.read_notes

    def read_slowly(folder: Path):
        gate.wait(PATIENCE)
        return read(folder)

    monkeypatch.setattr(scan_thread, "read_notes", read_slowly)
    window = open_window()
    assert window.gallery._empty.heading == window.picture.empty.heading == "Reading the folder…"
    gate.set()
    qtbot.waitUntil(lambda: window.gallery._empty.heading == "No images yet")
    assert window.picture.empty.heading == "Your first images are one click away"


def test_another_look_at_an_empty_folder_is_no_news(window: MainWindow, qtbot) -> None:
    qtbot.waitUntil(lambda: window.gallery._empty.heading == "No images yet")
    window.session.gallery.refresh()
    assert window.gallery._empty.heading == "No images yet"


def test_memory_that_was_not_measured_is_not_zero() -> None:
    assert Memory(0, 0).text() == "…"
    assert Memory(2**30, 8 * 2**30).text() == "1.0 / 8 GB"


@pytest.mark.parametrize(
    ("rates", "told"),
    [
        ([0.5, 0.05, 2.0], ["0.50 img/s", "0.05 img/s", "2.00 img/s"]),
        ([0.05, 0.5, 0.01], ["3.0 img/min", "30.0 img/min", "0.6 img/min"]),
    ],
)
def test_a_run_is_told_in_one_unit_and_the_next_may_have_another(
    window: MainWindow, engine: FakeEngine, qtbot, rates: list[float], told: list[str]
) -> None:
    for _ in range(2):
        engine.gate.clear()
        ask_for(window, MEL=1)
        window.setup.start.click()
        qtbot.waitUntil(lambda: window.session.run.started is not None)
        found = []
        for rate in rates:
            window.session.run.rate = rate
            window.session.run.progress_changed.emit()
            found.append(window.progress.rate.text())
        assert found == told
        engine.gate.set()
        wait_idle(window, qtbot)
        rates, told = rates[::-1], _told_backwards(rates[::-1])


def _told_backwards(rates: list[float]) -> list[str]:
    if rates[0] < 0.1:
        return [f"{60 * rate:.1f} img/min" for rate in rates]
    return [f"{rate:.2f} img/s" for rate in rates]


def test_an_explanation_that_waits_for_the_engine_says_so(
    open_window: Opener, engine: FakeEngine, tmp_path: Path, qtbot
) -> None:
    window = open_window()
    engine.gate.clear()
    window.session.engine._show(EngineState.STARTING, None)
    window.picture.tabs.setCurrentIndex(EXPLAIN)
    show(window, make_image(tmp_path, "a.png", 1), qtbot)
    assert window.picture.explain.empty.heading == "The engine is still starting…"
    window.session.engine._show(EngineState.READY, None)
    assert window.picture.explain.empty.heading == "Computing the explanation…"
    engine.gate.set()
    wait_ready(window, qtbot)
