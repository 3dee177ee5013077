"""A window with the real engine and a tiny model, on the processor, in two steps."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PyQt5.QtWidgets import QApplication

from core.config.config_manager import ConfigManager
from core.models.discovery import discover
from core.utils.logger import RingHandler
from core.utils.path_manager import PathManager
from gui.common.engine_model import EngineState
from gui.common.settings import SettingsModel
from gui.shell.main_window import MainWindow
from gui.shell.session import Session
from gui.theme.palette import apply_theme
from gui.workers.local_engine import LocalEngine


@contextmanager
def open_real_window(app: QApplication, ring: RingHandler, qtbot: object, models: Path) -> Iterator[MainWindow]:
    """Yield the window when its engine is ready; close it when its run has ended."""
    logging.getLogger().setLevel(logging.INFO)
    settings = SettingsModel(ConfigManager().load(), PathManager())
    settings.choose_folder("paths.models", models)
    settings.set("generation.device", "cpu")
    settings.set("generation.steps", 2)
    apply_theme(app, "light")
    window = MainWindow(Session(LocalEngine(), discover, settings, ring))
    window.show()
    qtbot.waitUntil(lambda: window.session.engine.state is EngineState.READY)
    qtbot.waitUntil(lambda: window.session.catalog.catalog is not None)
    yield window
    qtbot.waitUntil(lambda: not window.session.run.busy)
    window.close()
