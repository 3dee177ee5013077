"""The window under test: off screen, with a home of its own and an engine that does what it is told."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before Qt is imported
os.environ.setdefault("QT_LOGGING_RULES", "*.debug=false;qt.qpa.*=false")

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QApplication

from core.cancel import StopMode
from core.config.config_manager import ConfigManager
from core.message import Message
from core.models.discovery import Catalog, ClassModel
from core.taxonomy import CLASS_CODES
from core.utils.logger import RingHandler
from core.utils.path_manager import PathManager
from gui.common.settings import SettingsModel
from gui.shell.main_window import MainWindow
from gui.shell.qt_plugins import use_own_plugins
from gui.shell.session import Session
from gui.shell.theme_keeper import ThemeKeeper
from tests.gui.fake_engine import FakeEngine

use_own_plugins()

NO_DF = Message("There is no file unet_DF_best.pth in this folder.")


def fake_catalog(folder: Path) -> Catalog:
    """Six classes of one pack; DF is missing."""
    pack = folder / "isic7-128"
    classes = {
        code: ClassModel(code, False, None, None, NO_DF) if code == "DF" else ClassModel(code, True, pack, "pack")
        for code in CLASS_CODES
    }
    return Catalog(folder, classes, None, (), "isic7-128 (6 classes)")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ISICGUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def output(home: Path) -> Path:
    return PathManager().default_output_dir


@pytest.fixture
def ring() -> Iterator[RingHandler]:
    handler = RingHandler()
    root = logging.getLogger()
    root.addHandler(handler)
    level, root.level = root.level, logging.INFO
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


class Opener:
    """Opens windows and closes them when the test is over, with whatever they still do stopped."""

    def __init__(self, app: QApplication, engine: FakeEngine, ring: RingHandler, qtbot: object) -> None:
        self._app, self._engine, self._ring, self._qtbot = app, engine, ring, qtbot
        self._windows: list[MainWindow] = []

    def __call__(self) -> MainWindow:
        settings = SettingsModel(ConfigManager().load(), PathManager())
        ThemeKeeper(self._app, settings)
        window = MainWindow(Session(self._engine, fake_catalog, settings, self._ring))
        self._windows.append(window)
        window.show()
        self._qtbot.waitUntil(lambda: window.session.catalog.catalog is not None)
        self._qtbot.waitUntil(lambda: window.session.engine.info is not None or self._engine.warm_up_error is not None)
        return window

    def close(self) -> None:
        self._engine.gate.set()
        self._engine.save_gate.set()
        for window in self._windows:
            run = window.session.run
            if run.busy:
                run.stop(StopMode.NOW)
                self._qtbot.waitUntil(lambda run=run: not run.busy)
            self._engine.closed = False
            window.leave()
            self._qtbot.waitUntil(lambda: self._engine.closed)
            window.deleteLater()


@pytest.fixture
def open_window(qapp: QApplication, engine: FakeEngine, ring: RingHandler, qtbot: object) -> Iterator[Opener]:
    opener = Opener(qapp, engine, ring, qtbot)
    yield opener
    opener.close()


@pytest.fixture
def window(open_window: Opener) -> MainWindow:
    return open_window()
