"""Makes the pictures of the window for the documentation, from images that the starter models generate on the spot.

    python scripts/take_screenshots.py --output docs/images

Works on any display, a virtual one included (QT_QPA_PLATFORM=offscreen). Takes some minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PyQt5.QtCore import QObject, QTimer

from core.utils.logger import setup_logging
from core.utils.path_manager import HOME_VARIABLE, PathManager
from gui.app import make_application, make_stage
from gui.main_window import MainWindow
from gui.state.explain import ExplainState
from gui.workers.local_engine import LocalEngine
from gui.workers.process_engine import ProcessEngine

SIZE = (1280, 800)
SETTLE_MS = 600
"""Time for thumbnails and layout to settle before a picture is taken."""


class Photographer(QObject):
    """Walks through the window once: a run, a picture of its denoising, an explanation, the dark theme."""

    def __init__(self, window: MainWindow, output: Path, counts: dict[str, int]) -> None:
        super().__init__()
        self._window, self._output, self._counts = window, output, counts
        self._session = window.session
        self._taken: set[str] = set()
        self._session.catalog.changed.connect(self._begin)
        self._session.run.stepped.connect(self._watch_denoising)
        self._session.run.finished.connect(lambda _: QTimer.singleShot(SETTLE_MS, self._explain))
        self._session.explain.changed.connect(self._watch_explanation)
        self._session.problem.connect(lambda problem: sys.exit(f"{problem.message} {problem.remedy}"))

    def _begin(self) -> None:
        if self._session.catalog.catalog is None or self._session.run.busy:
            return
        self._session.classes.check_all(False)
        for code, count in self._counts.items():
            self._session.classes.set_checked(code, True)
            self._session.classes.set_count(code, count)
        QTimer.singleShot(0, self._session.start)

    def _watch_denoising(self) -> None:
        run = self._session.run
        if run.step and run.done == run.total - 1 and run.step.step * 3 >= run.step.steps * 2:
            self._take("window-denoising")

    def _explain(self) -> None:
        self._take("window-image")
        self._session.settings.set("xai.enabled", True)

    def _watch_explanation(self) -> None:
        if self._session.explain.state is ExplainState.READY and "window" not in self._taken:
            QTimer.singleShot(SETTLE_MS, self._finish)

    def _finish(self) -> None:
        self._take("window")
        self._session.settings.set("ui.theme", "dark")
        QTimer.singleShot(SETTLE_MS, self._leave)

    def _leave(self) -> None:
        self._take("window-dark")
        self._window.close()

    def _take(self, name: str) -> None:
        if name not in self._taken:
            self._taken.add(name)
            self._window.grab().save(str(self._output / f"{name}.png"))


def main() -> int:
    """Take the pictures and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("docs/images"), help="folder for the pictures")
    parser.add_argument("--each", type=int, default=2, help="images of each class [default: 2]")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        return _photograph(Path(home), options.output, options.each)


def _photograph(home: Path, output: Path, each: int) -> int:
    _move_home(home)
    app = make_application(sys.argv[:1])
    logs = setup_logging(console=False)
    stage = make_stage(app, ProcessEngine(LocalEngine), PathManager(), logs.ring)
    window = stage.window
    window.session.settings.set("ui.theme", "light")
    window.resize(*SIZE)
    photographer = Photographer(window, output, dict.fromkeys(("MEL", "NV", "BCC", "VASC"), each))
    window.show()
    code = app.exec()
    photographer.deleteLater()
    return code


def _move_home(home: Path) -> None:
    """Let the window believe it is started for the first time by somebody whose home is empty."""
    for name in (HOME_VARIABLE, "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        os.environ.pop(name, None)
    os.environ["HOME"] = os.environ["USERPROFILE"] = str(home)


if __name__ == "__main__":
    sys.exit(main())
