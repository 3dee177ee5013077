"""The window waits for nobody, and a long day in it does not fill the memory.

How long the gaps of its event loop are on a machine is measured by `benchmarks.window`.
"""

from __future__ import annotations

import ctypes
import gc
import itertools
import sys
import threading
from collections.abc import Iterator

import psutil
import pytest
from PyQt5.QtCore import QTimer

from core.events import Event
from gui.shell.main_window import MainWindow
from tests.gui.conftest import Opener
from tests.gui.fake_engine import FakeEngine
from tests.support.patience import PATIENCE

TURNS = 100
"""Turns of the event loop that the engine stands still for."""


def test_the_window_never_waits_for_the_engine(open_window: Opener, engine: FakeEngine, qtbot) -> None:
    """The engine stands at its third image until the event loop has turned: who waited for it would wait for ever."""
    window, standing, turned, turns = open_window(), threading.Event(), threading.Event(), itertools.count()
    timer = QTimer()
    timer.timeout.connect(lambda: turned.set() if standing.is_set() and next(turns) == TURNS else None)
    timer.start(0)

    def stand(number: int) -> Iterator[Event]:
        if number == 3:
            standing.set()
            turned.wait(PATIENCE)
        yield from ()

    engine.extra = stand
    _run(window, qtbot, images=6)
    timer.stop()
    assert turned.is_set()
    assert window.session.run.done == 6


def _run(window: MainWindow, qtbot, *, images: int) -> None:
    session = window.session
    session.classes.check_all(False)
    session.classes.set_checked("NV", True)
    session.classes.set_count("NV", images)
    before = session.gallery.rowCount()
    session.start()
    for rows in range(before + 100, before + images + 1, 100):
        qtbot.waitUntil(lambda rows=rows: session.gallery.rowCount() >= rows)
    qtbot.waitUntil(lambda: not session.run.busy)


@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc's malloc_trim to tell what is kept from what is free")
def test_a_thousand_images_do_not_fill_the_memory(open_window: Opener, engine: FakeEngine, qtbot) -> None:
    """After a first run, which fills what is bounded (thumbnails, log), 1,000 further images cost less than 5 %."""
    window = open_window()
    engine.steps = 2
    _run(window, qtbot, images=600)
    before = _memory(qtbot)
    _run(window, qtbot, images=1000)
    grown = _memory(qtbot) / before - 1
    assert window.session.gallery.rowCount() == 1600
    assert grown < 0.05


def _memory(qtbot) -> int:
    qtbot.settle()
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    return int(psutil.Process().memory_info().rss)
