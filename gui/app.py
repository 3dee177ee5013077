"""Opens the window: crash capture before Qt, then the application, then the session, and the engine only afterwards."""

from __future__ import annotations

import logging
import os
import signal
import sys

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QApplication

from core.config.config_manager import ConfigManager
from core.crash import Ending
from core.models.discovery import discover
from core.utils.logger import RingHandler, setup_logging
from core.utils.path_manager import PathManager
from core.version import PRODUCT, SAFE_MODE, __version__
from gui.common.settings import SettingsModel
from gui.help.offer import offer_tour
from gui.shell.crash import Crashes
from gui.shell.qt_plugins import use_own_plugins
from gui.shell.session import Session
from gui.shell.theme_keeper import ThemeKeeper
from gui.shell.welcome import welcome
from gui.shell.window_host import WindowHost
from gui.theme.icons import icon
from gui.theme.palette import remember_system
from gui.workers.engine import Engine
from gui.workers.local_engine import LocalEngine
from gui.workers.process_engine import ProcessEngine

_log = logging.getLogger(__name__)


def main(argv: list[str], ending: Ending | None = None) -> int:
    """Open the window and return the exit code when it has been closed.

    Parameters
    ----------
    argv
        Nothing, or `core.version.SAFE_MODE`.
    ending
        How the session before ended, if it did not end by itself.
    """
    crashes = Crashes()
    crashes.install()
    logs = setup_logging(console=False)
    _log.info("%s %s", PRODUCT, __version__)
    app = make_application(sys.argv[:1])
    is_safe = SAFE_MODE in argv
    if is_safe:
        hide_graphics_cards()
    stage = make_stage(app, ProcessEngine(LocalEngine), PathManager(), logs.ring, is_safe=is_safe)
    crashes.caught.connect(stage.session.report)
    offer_tour(stage.session, lambda: stage.window.help.start_tour())
    stage.session.session_notices.tell_of_ending(ending)
    signal.signal(signal.SIGINT, lambda *_: stage.window.close())
    signal.signal(signal.SIGTERM, lambda *_: stage.window.leave())
    stage.window.fit_to_screen()
    stage.window.show()
    welcome(stage.session)
    return app.exec()


def make_application(argv: list[str]) -> QApplication:
    """Return the application; what concerns high-resolution screens has to be said before it exists."""
    if sys.platform.startswith("linux") and os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "xcb")  # also under Wayland: PyQt5's own plugin is the weaker one
    use_own_plugins()
    attribute = Qt.ApplicationAttribute
    QApplication.setAttribute(attribute.AA_EnableHighDpiScaling)
    QApplication.setAttribute(attribute.AA_UseHighDpiPixmaps)
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    app = QApplication(argv)
    app.setApplicationName(PRODUCT)
    app.setApplicationVersion(__version__)
    remember_system(app)
    app.setStyle("Fusion")
    return app


def hide_graphics_cards() -> None:
    """Let the engine's process, which inherits the environment, find no graphics card: its driver may be what fails."""
    for name in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"):
        os.environ[name] = ""


def make_settings(paths: PathManager, *, is_safe: bool = False) -> tuple[SettingsModel, list[str]]:
    """Return the user's settings and what is to be told about them; in safe mode the defaults, on the processor."""
    config = ConfigManager()
    if is_safe:
        config.set("generation.device", "cpu")
        return SettingsModel(config, paths, is_safe=True), []
    config.load()
    for notice in config.notices:
        _log.warning("%s", notice)
    return SettingsModel(config, paths), config.notices


def make_stage(
    app: QApplication, engine: Engine, paths: PathManager, ring: RingHandler, *, is_safe: bool = False
) -> WindowHost:
    """Return the window of an engine on its stage, with the settings of the user whose folders `paths` knows."""
    settings, notices = make_settings(paths, is_safe=is_safe)
    ThemeKeeper(app, settings).listen()
    app.setWindowIcon(icon("app", "accent"))
    session = Session(engine, discover, settings, ring)
    session.session_notices.tell_of_settings(notices)
    return WindowHost(session)
