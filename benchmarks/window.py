"""Measures the window: time until it is on the screen, and the gaps of its event loop in everything it does.

A gap is the time between two turns of the event loop. `wall` is what a person feels, and includes what other programs
take; `own` is the part in which the window's own thread computed. Needs a display (QT_QPA_PLATFORM=offscreen will do).

    python -m benchmarks.window [--images N] [--steps N]
    python -m benchmarks.window --start                    nothing but the start

Last measured on 2 cores of an AMD EPYC: 2026-11-28 offscreen with first claim to the processors (`chrt -r 10`), on the
screen after 0.43 s (0.40 to 0.45, n = 7; under Xvfb 0.46 s); 2026-11-20 offscreen, one pass of 4 images, longest gap
32 ms (in the run), 105 to 132 MB.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from PyQt5.QtCore import QTimer

from core.utils.logger import setup_logging
from core.utils.path_manager import HOME_VARIABLE, PathManager
from gui.app import make_application, make_stage
from gui.explain.explain import ExplainState
from gui.shell.main_window import MainWindow
from gui.workers.local_engine import LocalEngine
from gui.workers.process_engine import ProcessEngine

MANY = 10_000
SCROLLS = 60


class Gaps:
    """Watches the event loop; prints and forgets what it saw at the end of each phase."""

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(5)
        self._forget()

    def tell(self, phase: str) -> None:
        """Print the longest gaps since the last call."""
        over = sum(wall > 0.1 for wall in self._wall)
        memory = psutil.Process().memory_info().rss / 2**20
        print(
            f"{phase:24} longest gap {1000 * max(self._wall):4.0f} ms (own {1000 * max(self._own):3.0f} ms), "
            f"{over} over 100 ms, {memory:.0f} MB",
            flush=True,
        )
        self._forget()

    def _forget(self) -> None:
        self._wall, self._own = [0.0], [0.0]
        self._last = time.perf_counter(), time.thread_time()

    def _tick(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self._wall.append(now[0] - self._last[0])
        self._own.append(now[1] - self._last[1])
        self._last = now


class Walk:
    """Start-up, a run, an explanation, a large folder, scrolling."""

    def __init__(self, window: MainWindow, home: Path, images: int, steps: int) -> None:
        self._window, self._session, self._home = window, window.session, home
        self._images, self._steps = images, steps
        self._gaps = Gaps()
        self._session.engine.changed.connect(self._engine_changed)
        self._session.run.finished.connect(lambda _: QTimer.singleShot(500, self._explain))

    def shown(self) -> None:
        """Print how long it took from the start of the process to here."""
        used = psutil.Process().cpu_times()
        print(f"on the screen after {_age():.2f} s ({used.user + used.system:.2f} s of computing)", flush=True)

    def _engine_changed(self) -> None:
        if self._session.engine.info:
            self._gaps.tell("engine's start")
            self._session.settings.set("generation.steps", self._steps)
            self._session.classes.check_all(False)
            self._session.classes.set_checked("NV", True)
            self._session.classes.set_count("NV", self._images)
            self._session.start()

    def _explain(self) -> None:
        self._gaps.tell(f"run of {self._images} images")
        self._session.explain.changed.connect(self._explained)
        self._session.settings.set("xai.enabled", True)

    def _explained(self) -> None:
        if self._session.explain.state is ExplainState.READY:
            self._session.explain.changed.disconnect(self._explained)
            self._gaps.tell("explanation")
            self._session.settings.set("xai.enabled", False)
            QTimer.singleShot(0, self._open_many)

    def _open_many(self) -> None:
        folder = self._home / "many"
        _fill(folder, self._session.settings.output / "NV" / "ISIC_0000001.png")
        self._gaps.tell("(filling a folder)")
        self._session.settings.choose_folder("paths.output", folder)
        QTimer.singleShot(5000, self._scroll)

    def _scroll(self) -> None:
        self._gaps.tell(f"folder of {self._session.gallery.rowCount()}")
        bar = self._window.gallery.list.verticalScrollBar()
        places = iter(bar.maximum() * (37 * turn % SCROLLS) // SCROLLS for turn in range(SCROLLS))
        self._jump(places.__next__)

    def _jump(self, place: Callable[[], int]) -> None:
        try:
            self._window.gallery.list.verticalScrollBar().setValue(place())
        except StopIteration:
            self._gaps.tell("scrolling in it")
            self._window.close()
        else:
            QTimer.singleShot(40, lambda: self._jump(place))


def _age() -> float:
    """Return how many seconds ago the process began.

    psutil counts from the moment the machine was started, which Linux tells in whole seconds: up to one too many.
    """
    if not sys.platform.startswith("linux"):
        return time.time() - psutil.Process().create_time()
    ticks = int(Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def _fill(folder: Path, image: Path) -> None:
    """Give one image ten thousand names."""
    (folder / "NV").mkdir(parents=True)
    for number in range(1, MANY + 1):
        os.link(image, folder / "NV" / f"ISIC_{number:07d}.png")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=4, help="images of the run [default: 4]")
    parser.add_argument("--steps", type=int, default=20, help="steps of each [default: 20]")
    parser.add_argument("--start", action="store_true", help="measure the start and end")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ[HOME_VARIABLE] = home
        app = make_application(["benchmark"])
        stage = make_stage(app, ProcessEngine(LocalEngine), PathManager(), setup_logging(console=False).ring)
        window = stage.window
        walk = Walk(window, Path(home), options.images, options.steps)
        window.show()
        QTimer.singleShot(0, walk.shown)
        if options.start:
            QTimer.singleShot(0, app.quit)
        app.exec()


if __name__ == "__main__":
    main()
