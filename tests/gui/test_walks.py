"""What goes wrong around a run, walked through to its good end: folders that vanish or refuse, stops at every stage."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QApplication, QFileDialog

from core.cancel import StopMode
from core.events import Step
from core.utils.logger import RingHandler
from core.utils.path_manager import PathManager
from dataset.synthetic_dataset import read_records
from gui.help.problem_actions import WORDS, Action
from gui.models.catalog import CatalogModel
from gui.run.run import RunState
from gui.shell.main_window import MainWindow
from gui.workers.task import TaskRunner
from tests.gui.fake_engine import FakeEngine
from tests.gui.real_window import open_real_window
from tests.gui.test_run import ask_for, wait_idle
from tests.support.patience import PATIENCE
from tests.support.tiny_models import write_tiny_pack


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return write_tiny_pack(tmp_path / "models")


@pytest.fixture
def real_window(qapp: QApplication, ring: RingHandler, qtbot, models: Path) -> Iterator[MainWindow]:
    with open_real_window(qapp, ring, qtbot, models) as window:
        yield window


def answer(window: MainWindow, action: Action) -> None:
    """Press a button of the problem that is shown."""
    (button,) = [button for button in window._problems[0].remedies if button.text() == WORDS[action]]
    button.click()


def finish(window: MainWindow, qtbot) -> None:
    qtbot.waitUntil(lambda: window.session.run.last is not None and not window.session.run.busy)


def test_a_folder_that_cannot_be_written_is_exchanged_for_another(
    real_window: MainWindow, tmp_path: Path, monkeypatch, qtbot
) -> None:
    window = real_window
    (tmp_path / "file").write_text("no folder")
    window.session.settings.choose_folder("paths.output", tmp_path / "file" / "out")
    ask_for(window, MEL=2)
    window.setup.start.click()
    qtbot.waitUntil(lambda: bool(window._problems))
    problem = window._problems[0].problem
    assert problem.kind == "output"
    assert str(tmp_path / "file" / "out") in problem.message
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "good"))
    answer(window, Action.OTHER_FOLDER)
    finish(window, qtbot)
    assert len(read_records(tmp_path / "good")) == 2


def test_a_folder_that_vanishes_in_the_middle_of_a_run(
    real_window: MainWindow, output: Path, tmp_path: Path, qtbot
) -> None:
    """The run says so or makes the folder anew; either way the next one ends well, and the window lives."""
    window, session = real_window, real_window.session
    session.settings.set("generation.batch_size", 1)
    ask_for(window, MEL=6)
    moved = []

    def unplug(event: Step) -> None:
        if session.run.done == 1 and not moved:
            moved.append(shutil.move(output, tmp_path / "unplugged"))

    session.run.stepped.connect(unplug)
    window.setup.start.click()
    qtbot.waitUntil(lambda: bool(moved) and not session.run.busy)
    session.run.stepped.disconnect(unplug)
    if window._problems:
        assert window._problems[0].problem.expected
        assert str(output) in window._problems[0].problem.message
        window._problems[0].close()
    assert len(list((tmp_path / "unplugged" / "MEL").glob("*.png"))) >= 1
    ask_for(window, NV=1)
    window.setup.start.click()
    finish(window, qtbot)
    assert (output / "NV" / "ISIC_0000001.png").is_file()


def test_models_that_vanish_between_runs_are_missed_by_name_and_found_again(
    real_window: MainWindow, models: Path, output: Path, qtbot
) -> None:
    window, session = real_window, real_window.session
    ask_for(window, MEL=1)
    models.rename(models.with_name("unplugged"))
    window.setup.start.click()
    qtbot.waitUntil(lambda: bool(window._problems))
    problem = window._problems[0].problem
    assert problem.kind == "model_missing"
    assert str(models) in problem.message
    assert WORDS[Action.STARTER_MODELS] in [button.text() for button in window._problems[0].remedies]
    window._problems[0].close()
    session.catalog.look(session.settings.models)
    qtbot.waitUntil(lambda: session.catalog.catalog is not None)
    assert not session.classes.counts()
    assert not window.setup.start.isEnabled()
    assert not window.setup.rows["MEL"]._check.isChecked()
    models.with_name("unplugged").rename(models)
    session.catalog.look(session.settings.models)
    qtbot.waitUntil(lambda: session.classes.counts() == {"MEL": 1})
    window.setup.start.click()
    finish(window, qtbot)
    assert len(read_records(output)) == 1


def test_an_earlier_look_at_the_models_that_ends_later_does_not_count(tmp_path: Path, qtbot) -> None:
    first, results = threading.Event(), iter(["before", "after"])

    def discover(folder: Path) -> str:
        result = next(results)
        if result == "before":
            first.wait(PATIENCE)
        return result

    catalog = CatalogModel(discover, TaskRunner(2))
    catalog.look(tmp_path)
    qtbot.wait(20)
    catalog.look(tmp_path)
    qtbot.waitUntil(lambda: catalog.catalog == "after")
    first.set()
    qtbot.waitUntil(lambda: catalog._tasks.is_idle)
    assert catalog.catalog == "after"


def test_models_that_have_gone_for_good_are_replaced_by_the_starter_models(
    real_window: MainWindow, models: Path, output: Path, monkeypatch, qtbot
) -> None:
    starter = write_tiny_pack(models.with_name("starter"))
    monkeypatch.setattr(PathManager, "default_models_dir", starter)
    window = real_window
    ask_for(window, MEL=1)
    shutil.rmtree(models)
    window.setup.start.click()
    qtbot.waitUntil(lambda: bool(window._problems))
    answer(window, Action.STARTER_MODELS)
    finish(window, qtbot)
    assert len(read_records(output)) == 1
    assert window.session.settings.models == starter


STAGES = ("loading", "first step", "between steps", "paused", "between images", "stopping", "ended")


@pytest.mark.parametrize("mode", [StopMode.NOW, StopMode.AFTER_IMAGE, StopMode.DISCARD])
@pytest.mark.parametrize("stage", STAGES)
def test_a_run_stopped_at_any_stage_is_followed_by_another(
    window: MainWindow, engine: FakeEngine, output: Path, qtbot, stage: str, mode: StopMode
) -> None:
    run = window.session.run
    ask_for(window, MEL=3)
    engine.gate.clear()
    window.setup.start.click()
    bring_to(stage, window, engine, qtbot)
    window.session.stop(mode)
    engine.gate.set()
    wait_idle(window, qtbot)
    assert run.last is not None
    if mode is StopMode.DISCARD and stage != "ended":
        assert not list(output.glob("*/*.png"))
    kept = len(list(output.glob("*/*.png")))
    assert kept == run.last.written
    engine.extra = lambda number: iter(())
    ask_for(window, NV=2)
    window.setup.start.click()
    wait_idle(window, qtbot)
    assert (run.last.status, run.done) == ("completed", 2)
    assert len(list(output.glob("*/*.png"))) == kept + 2
    assert window._problems == []
    assert window.setup.start.isEnabled()


def bring_to(stage: str, window: MainWindow, engine: FakeEngine, qtbot) -> None:
    """Let a run that the gate holds come to a stage and stay there, as long as the test wants."""
    run = window.session.run
    if stage == "loading":
        assert run.state is RunState.STARTING
        return
    qtbot.waitUntil(lambda: run.total == 3)
    if stage == "first step":
        return
    if stage == "paused":
        run.toggle_pause()
        engine.gate.set()
        qtbot.waitUntil(lambda: run.state is RunState.PAUSED)
        return
    if stage == "stopping":
        run.stop(StopMode.AFTER_IMAGE)
        assert run.state is RunState.STOPPING
        return
    if stage == "ended":
        engine.gate.set()
        wait_idle(window, qtbot)
        return
    hold_when(run, engine, qtbot, at_image=1 if stage == "between images" else 0)


def hold_when(run, engine: FakeEngine, qtbot, at_image: int) -> None:
    """Open the gate until so many images are done and a step of the next one, then shut it."""

    def shut(_: object) -> None:
        if run.done >= at_image and run.step is not None:
            engine.gate.clear()

    run.stepped.connect(shut)  # before the next step is allowed
    engine.show_every_step(run)
    engine.gate.set()
    qtbot.waitUntil(lambda: not engine.gate.is_set())
    run.stepped.disconnect(shut)
    engine.turn = None
