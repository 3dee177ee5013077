"""Pausing, taking back, repeating, foretelling and copying a run in the window."""

from __future__ import annotations

import json
import os
import shlex
import socket
from pathlib import Path

import pytest
from PyQt5.QtGui import QGuiApplication

from cli.app import cli
from cli.derive import request_of
from cli.generate import conditioning_of
from core.cancel import StopMode
from core.errors import UsageError
from core.generation import GenerationRequest
from dataset.journal import Journal
from dataset.layout import Layout
from gui.i18n.numbers import size_text
from gui.run.request import Estimate
from gui.run.run import RunModel, RunState
from gui.shell.main_window import MainWindow
from gui.workers.engine import DeviceMemory
from gui.workers.unfinished import find_unfinished
from tests.gui.conftest import Opener
from tests.gui.fake_engine import GIB, FakeEngine
from tests.gui.test_run import ask_for, wait_idle


def begin(window: MainWindow, engine: FakeEngine, qtbot, **counts: int) -> RunModel:
    engine.gate.clear()
    ask_for(window, **counts)
    window.setup.start.click()
    run = window.session.run
    qtbot.waitUntil(lambda: run.state is RunState.RUNNING)
    return run


def test_a_pause_holds_the_run_after_the_step_and_says_so(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    controls, run = window.setup.controls, begin(window, engine, qtbot, MEL=2)
    assert controls.pause.isEnabled()
    controls.pause.click()
    assert run.state is RunState.PAUSING
    assert "Pausing" in window.progress.what.text()
    assert controls.pause.text() == "Resume"
    engine.gate.set()
    qtbot.waitUntil(lambda: run.state is RunState.PAUSED)
    assert "Paused" in window.progress.what.text()
    assert "paused" in window.windowTitle()
    assert run.busy
    before = run.done, run.step
    qtbot.wait(100)
    assert (run.done, run.step) == before
    controls.pause.click()
    wait_idle(window, qtbot)
    assert run.done == 2
    assert not controls.pause.isEnabled()


def test_a_pause_taken_back_at_once_leaves_a_run_that_runs(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    """The engine's answers to the first pause arrive when the second one is already asked for."""
    run = begin(window, engine, qtbot, MEL=2)
    for _ in range(4):
        run.toggle_pause()
    assert run.state is RunState.RUNNING
    engine.gate.set()
    wait_idle(window, qtbot)
    assert run.done == 2


def test_late_news_of_an_ended_pause_does_not_end_the_next_one(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    run = begin(window, engine, qtbot, MEL=2)
    engine.gate.set()
    for _ in range(6):
        run.toggle_pause()
        qtbot.waitUntil(lambda: run.state is not RunState.PAUSING)
        if run.state is RunState.IDLE:
            break
    assert run.state in (RunState.RUNNING, RunState.IDLE)
    wait_idle(window, qtbot)
    assert run.done == 2


@pytest.mark.parametrize("mode", [StopMode.AFTER_IMAGE, StopMode.NOW])
def test_a_paused_run_can_be_stopped(
    window: MainWindow, engine: FakeEngine, output: Path, qtbot, mode: StopMode
) -> None:
    run = begin(window, engine, qtbot, MEL=3)
    window.setup.controls.pause.click()
    engine.gate.set()
    qtbot.waitUntil(lambda: run.state is RunState.PAUSED)
    window.session.stop(mode)
    wait_idle(window, qtbot)
    assert len(list(output.glob("*/*.png"))) == (1 if mode is StopMode.AFTER_IMAGE else 0)


def test_a_paused_run_does_not_keep_the_window_from_closing(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    run = begin(window, engine, qtbot, MEL=3)
    window.setup.controls.pause.click()
    engine.gate.set()
    qtbot.waitUntil(lambda: run.state is RunState.PAUSED)
    window.close()
    window._close_dialog.stop_button.click()
    qtbot.waitUntil(lambda: not window.isVisible())


def test_images_are_taken_back_only_after_a_question(
    window: MainWindow, engine: FakeEngine, output: Path, qtbot
) -> None:
    controls, run = window.setup.controls, begin(window, engine, qtbot, MEL=3)
    controls.ask_to_discard()
    assert str(output) in controls._question.informativeText()
    run.done = 2
    run.progress_changed.emit()
    assert "2 so far" in controls._question.text()
    controls._question.go_on_button.click()
    assert run.stop_mode is None
    controls.ask_to_discard()
    controls._question.discard_button.click()
    assert run.stop_mode is StopMode.DISCARD
    engine.gate.set()
    wait_idle(window, qtbot)
    assert list(output.glob("*/*.png")) == []
    assert window.progress.count.text() == ""
    assert (run.done, run.total, window.progress.bar.value()) == (0, 0, 0)


def test_the_question_goes_when_the_run_has_ended(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    controls = window.setup.controls
    begin(window, engine, qtbot, MEL=1)
    controls.ask_to_discard()
    controls.ask_to_discard()
    engine.gate.set()
    wait_idle(window, qtbot)
    assert controls._question is None
    assert window.session.run.stop_mode is None


def test_regenerate_says_what_it_does_and_offers_other_seeds(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    controls = window.setup.controls
    ask_for(window, MEL=1)
    controls.start.click()
    wait_idle(window, qtbot)
    assert "seed 42" in controls.regenerate.toolTip()
    assert "not generated again" in controls.regenerate.toolTip()
    controls.random.trigger()
    wait_idle(window, qtbot)
    assert [request.seed for request in engine.requests] == [42, None]
    assert engine.requests[0].counts == engine.requests[1].counts
    assert "not generated again" not in controls.regenerate.toolTip()


def test_regenerate_knows_the_last_run_of_the_window_before(open_window: Opener, engine: FakeEngine, qtbot) -> None:
    first = open_window()
    ask_for(first, MEL=1)
    first.setup.start.click()
    wait_idle(first, qtbot)
    first.close()
    second = open_window()
    ask_for(second, NV=5)
    second.setup.controls.regenerate.click()
    wait_idle(second, qtbot)
    assert engine.requests[1] == engine.requests[0]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"counts": {"XYZ": 1}}', '{"counts": {"MEL": -1}}'])
def test_a_last_run_that_makes_no_sense_is_none(open_window: Opener, text: str) -> None:
    first = open_window()
    first.session.settings.remember("run/last_request", text)
    first.close()
    assert not open_window().setup.controls.regenerate.isEnabled()


def test_the_copied_command_asks_for_the_same_run(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    ask_for(window, MEL=2, VASC=1)
    advanced = window.setup.advanced._content
    advanced.steps.setValue(7)
    advanced.guidance.setValue(2.5)
    advanced.color.setChecked(False)
    window.setup.controls.copy_command()
    words = shlex.split(QGuiApplication.clipboard().text()) if os.name != "nt" else []
    assert "copied" in window.statusBar().currentMessage()
    window.setup.start.click()
    wait_idle(window, qtbot)
    _, command, rest = cli.resolve_command(command_context(), words[2:])
    values = dict(command.make_context("generate", rest).params)
    del values["json_mode"]
    conditioning = conditioning_of(values)
    assert request_of(GenerationRequest, {**values, "conditioning": conditioning}) == engine.requests[0]


def command_context():
    return cli.make_context("main.py", ["doctor"])


def test_nothing_checked_cannot_be_queued_or_copied(window: MainWindow) -> None:
    ask_for(window)
    assert not window.setup.controls.enqueue.isEnabled()
    assert not window.setup.controls.command.isEnabled()


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("free_disk", 10_000, "Disk: the images need about 0.1 MB, 0.1 MB are free"),
        ("free_memory", GIB, "needs up to 2.0 GB, CPU has 1.0 GB free"),
        ("writer", "Process 7 (window: main.py) on here, since today", "Process 7 (window: main.py)"),
        ("foresee_error", UsageError("fp16 on a CPU is slow.", remedy="Use fp32."), "fp16 on a CPU is slow. Use fp32."),
    ],
)
def test_what_speaks_against_a_run_is_said_before_the_start(
    open_window: Opener, engine: FakeEngine, qtbot, attribute: str, value: object, words: str
) -> None:
    setattr(engine, attribute, value)
    window = open_window()
    controls = window.setup.controls
    window.session.memory.look()
    ask_for(window, MEL=1)
    qtbot.waitUntil(lambda: words in controls.warnings.text)
    assert controls.warnings.isVisible()
    assert controls.start.isEnabled()
    engine.free_disk, engine.free_memory, engine.writer, engine.foresee_error = 100 * GIB, 12 * GIB, "", None
    window.session.memory.look()
    window.session.forecast.look_soon()
    qtbot.waitUntil(lambda: controls.warnings.isHidden())


def test_devices_show_their_memory_and_what_the_run_needs(window: MainWindow, qtbot) -> None:
    panel = window.setup.devices._content
    qtbot.waitUntil(lambda: "free" in panel.rows["cuda:0"].free.text())
    assert panel.rows["cuda:0"].free.text() == "6.0 GB of 8.0 GB free"
    assert panel.rows["cuda:0"].bar.value() == 250
    qtbot.waitUntil(lambda: panel.need.text() == "This run: CPU, fp32, 1 image at once, up to 2.0 GB")


def test_memory_is_not_asked_of_an_engine_that_has_died(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    asked = []
    engine.memory = lambda: asked.append(1) or (DeviceMemory("cpu", 1, 2),)
    engine.pid = None
    window.session.memory.look()
    qtbot.waitUntil(lambda: window.session.memory._tasks.is_idle)
    assert asked == []


@pytest.mark.parametrize(
    ("counts", "seconds", "disk", "words"),
    [
        ((), None, None, "Choose at least one class"),
        ((1,), None, None, "1 image"),
        ((1,), None, 40_000, "1 image · time estimate after the first image · 0.1 MB"),
        ((12,) * 7, 130.0, 3_000_000, "7 classes × 12 images · ~2 min 10 s · 3.0 MB"),
        ((1, 2), 4.0, 12_400_000_000, "3 images · ~4 s · 12.4 GB"),
    ],
)
def test_the_estimate_in_words(counts: tuple[int, ...], seconds: float | None, disk: int | None, words: str) -> None:
    assert Estimate(counts, seconds, disk).text() == words


@pytest.mark.parametrize(("size", "words"), [(0, "0.1 MB"), (9.94e6, "9.9 MB"), (12e6, "12 MB"), (1.5e9, "1.5 GB")])
def test_sizes_in_words(size: float, words: str) -> None:
    assert size_text(size) == words


def test_what_another_window_is_making_is_not_offered_as_interrupted(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.temporary.mkdir(parents=True)
    request = GenerationRequest((("MEL", 2),), tmp_path, tmp_path)
    plan = {"MEL": {"numbers": [1, 2], "indices": [0, 1], "seeds": [5, 6]}}
    journal = Journal(layout.journal, layout.temporary)
    journal.append({"type": "run", "format": 1, "run_id": "r", "request": request.to_json(), "plan": plan})
    assert [run.total for run in find_unfinished(tmp_path)] == [2]
    holder = {"pid": os.getppid(), "host": socket.gethostname(), "since": "2999-01-01T00:00:00+00:00"}
    (layout.state / "lock.json").write_text(json.dumps(holder), encoding="utf-8")
    assert find_unfinished(tmp_path) == []
