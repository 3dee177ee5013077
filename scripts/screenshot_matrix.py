"""Takes pictures of the window in every theme, language, scale and size, to be looked at by people.

    python scripts/screenshot_matrix.py --output build/screenshots

The engine is the scripted one of the tests, so it takes seconds, not minutes. The scale of a program is fixed when it
starts: each scale is a process of its own. A sheet per scale shows all its pictures at once. Works on any display, a
virtual one included (``xvfb-run``, or QT_QPA_PLATFORM=offscreen).
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PIL import Image
from PyQt5.QtWidgets import QApplication

from core.config.config_manager import ConfigManager
from core.utils.logger import RingHandler
from core.utils.path_manager import HOME_VARIABLE, PathManager
from gui.app import make_application
from gui.common.settings import SettingsModel
from gui.i18n import set_language
from gui.shell.main_window import MainWindow
from gui.shell.session import Session
from gui.shell.theme_keeper import ThemeKeeper
from scripts.walk import Wait, Walk

THEMES = ("light", "dark")
LANGUAGES = ("en", "ru", "zh")
SCALES = ("1", "1.5", "2")
SIZES = ((1280, 800), (1024, 700))
TABS = ("image", "denoising", "explain", "compare")
SETTLE_MS = 500
SHEET_WIDTH = 640


def main() -> int:
    """Take the pictures and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("build/screenshots"), help="folder for the pictures")
    parser.add_argument("--tabs", nargs="+", choices=TABS, default=["explain"], help="views of the picture")
    parser.add_argument("--scales", nargs="+", default=SCALES, help="QT_SCALE_FACTOR of each process")
    parser.add_argument("--here", action="store_true", help="in this process, at the scale that it has")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    if options.here:
        return _take_all(options.output, options.tabs)
    return max(_take_scaled(options, scale) for scale in options.scales)


def _take_scaled(options: argparse.Namespace, scale: str) -> int:
    command = [sys.executable, __file__, "--here", "--output", str(options.output), "--tabs", *options.tabs]
    environment = {**os.environ, "QT_SCALE_FACTOR": scale}
    return subprocess.run(command, env=environment, check=False).returncode


def _take_all(output: Path, tabs: list[str]) -> int:
    with tempfile.TemporaryDirectory() as home:
        app = make_application(sys.argv[:1])
        trouble: list[str] = []
        walk = Walk(_scenes(app, home, output, tabs))
        walk.ended.connect(trouble.append)
        walk.ended.connect(app.quit)
        app.exec()
    scale = os.environ.get("QT_SCALE_FACTOR", "1")
    _make_sheet(sorted(output.glob(f"*-{scale}x-*.png")), output / f"sheet-{scale}x.png")
    sys.stderr.write("".join(trouble))
    return 1 if any(trouble) else 0


def _scenes(app: QApplication, home: str, output: Path, tabs: list[str]) -> Iterator[Wait]:
    scale = os.environ.get("QT_SCALE_FACTOR", "1")
    for theme, language in product(THEMES, LANGUAGES):
        os.environ[HOME_VARIABLE] = f"{home}/{theme}-{language}"
        window = _open(app, theme, language)
        yield from _fill(window)
        for tab, (width, height) in product(tabs, SIZES):
            window.picture.tabs.setCurrentIndex(TABS.index(tab))
            window.resize(width, height)
            yield SETTLE_MS
            yield _explained(window.session)
            window.grab().save(str(output / f"{theme}-{language}-{scale}x-{width}x{height}-{tab}.png"))
        window.close()
        window.deleteLater()


def _open(app: QApplication, theme: str, language: str) -> MainWindow:
    from tests.gui.conftest import fake_catalog  # it sets the platform of tests, so only once there is an application
    from tests.gui.fake_engine import FakeEngine

    set_language(language)
    settings = SettingsModel(ConfigManager().load(), PathManager())
    settings.set("ui.theme", theme)
    output = Path(os.environ[HOME_VARIABLE]) / "output"
    output.mkdir(parents=True)
    settings.set("paths.output", str(output))  # never the folder of the predecessor's settings
    ThemeKeeper(app, settings)
    window = MainWindow(Session(FakeEngine(size=128), fake_catalog, settings, _ring()))
    window.show()
    return window


def _ring() -> RingHandler:
    ring = RingHandler()
    logging.getLogger().addHandler(ring)
    logging.getLogger().setLevel(logging.INFO)
    return ring


def _fill(window: MainWindow) -> Iterator[Wait]:
    session = window.session
    yield lambda: session.catalog.catalog is not None
    session.classes.check_all(False)
    for code, count in {"MEL": 3, "NV": 2}.items():
        session.classes.set_checked(code, True)
        session.classes.set_count(code, count)
    session.start()
    yield lambda: session.run.busy
    yield lambda: not session.run.busy
    session.settings.set("xai.enabled", True)
    paths = [Path(item.path) for item in session.gallery.items()[:2]]
    yield SETTLE_MS
    session.collection.compare.compare_files(*paths)
    yield SETTLE_MS


def _explained(session: Session) -> Wait:
    return lambda: not session.explain.waiting


def _make_sheet(files: list[Path], target: Path) -> None:
    """Put pictures beside each other, all in one width, so that they can be looked at together."""
    small = [_shrunk(Image.open(file)) for file in files]
    if not small:
        return
    columns = 3
    height = max(picture.height for picture in small)
    rows = -(-len(small) // columns)
    sheet = Image.new("RGB", (columns * SHEET_WIDTH, rows * height), "white")
    for number, picture in enumerate(small):
        sheet.paste(picture, (number % columns * SHEET_WIDTH, number // columns * height))
    sheet.save(target)


def _shrunk(picture: Image.Image) -> Image.Image:
    return picture.resize((SHEET_WIDTH, round(picture.height * SHEET_WIDTH / picture.width)))


if __name__ == "__main__":
    sys.exit(main())
