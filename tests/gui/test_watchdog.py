"""Nothing freezes the window, and a long day in it does not fill the memory."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
import time
from collections.abc import Iterator

import psutil
import pytest
from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication

from core.events import Event
from gui.main_window import MainWindow
from gui.state.explain import ExplainState
from tests.gui.conftest import Opener
from tests.gui.fake_engine import FakeEngine
from tests.gui.watchdog import Watchdog

FREEZE = 0.1
"""Seconds of the GUI thread's own work between two turns of the event loop that count as a freeze."""

WAITED = 1.0
"""Seconds for which the event loop may stand still on a machine that does something else as well."""

STEP = 2.0
"""Seconds of the engine's slow step: whoever waits for it stands still for longer than `WAITED`."""


def test_the_watchdog_sees_a_slot_that_computes_and_one_that_waits(qapp: QApplication, qtbot) -> None:
    def compute() -> None:
        end = time.thread_time() + 2 * FREEZE
        while time.thread_time() < end:
            pass

    for slot, computes in ((compute, True), (lambda: time.sleep(1.2 * WAITED), False)):
        watchdog = Watchdog()
        QTimer.singleShot(0, slot)
        qtbot.wait(50)
        assert (watchdog.stop() > FREEZE) is computes
        assert computes or watchdog.longest_wall > WAITED


def test_nothing_freezes_from_the_first_paint_to_the_last_image(open_window: Opener, engine: FakeEngine, qtbot) -> None:
    """Start-up after the first paint, a slow step, a flood of steps and images, explanations, another folder."""
    window = open_window()
    watchdog = Watchdog()
    _slow_step(engine)
    _run(window, qtbot, images=40)
    session = window.session
    session.settings.set("xai.enabled", True)
    qtbot.waitUntil(lambda: session.explain.state is ExplainState.READY)
    for _ in range(5):
        window.gallery.step(1)
        qtbot.wait(30)
    session.settings.set("xai.enabled", False)
    assert watchdog.stop() < FREEZE
    assert watchdog.longest_wall < WAITED


def _slow_step(engine: FakeEngine) -> None:
    """Let the engine stand at its third image."""

    def wait(number: int) -> Iterator[Event]:
        if number == 3:
            threading.Event().wait(STEP)
        yield from ()

    engine.extra = wait


def _run(window: MainWindow, qtbot, *, images: int) -> None:
    session = window.session
    session.classes.check_all(False)
    session.classes.set_checked("NV", True)
    session.classes.set_count("NV", images)
    with qtbot.waitSignal(session.run.finished, timeout=120_000):
        session.start()


@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc's malloc_trim to tell what is kept from what is free")
def test_two_thousand_images_do_not_fill_the_memory(open_window: Opener, engine: FakeEngine, qtbot) -> None:
    """After a first run, which fills what is bounded (thumbnails, log), 2,000 further images cost less than 5 %."""
    window = open_window()
    engine.steps = 2
    _run(window, qtbot, images=1500)
    before = _memory(qtbot)
    _run(window, qtbot, images=2000)
    grown = _memory(qtbot) / before - 1
    assert window.session.gallery.rowCount() == 3500
    assert grown < 0.05


def _memory(qtbot) -> int:
    qtbot.wait(500)
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    return int(psutil.Process().memory_info().rss)
