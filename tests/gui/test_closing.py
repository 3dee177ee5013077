"""Closing the window asks before it stops anything, and what somebody has stopped is not called interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cancel import StopMode
from gui.shell.close_work_dialog import CloseWorkDialog, work_of
from gui.shell.main_window import MainWindow
from gui.workers.unfinished import find_unfinished
from tests.gui.conftest import Opener
from tests.gui.fake_engine import FakeEngine, make_pixels, make_recipe
from tests.gui.fake_jobs import SCRIPT, fake_client
from tests.gui.test_run import wait_idle
from xai.trajectory.request import TrajectoryRequest

Begin = Callable[[MainWindow, Path], object]


def _analyse(window: MainWindow, folder: Path) -> object:
    window.session.analyses.make_client = fake_client
    window.session.analyses.add(TrajectoryRequest(folder / "xai_results", ("BCC",)))
    return window.session.analyses


def _evaluate(window: MainWindow, folder: Path) -> object:
    evaluation = window.session.evaluation
    evaluation.make_client = fake_client
    evaluation.choose_place("real", str(folder))
    evaluation.start()
    return evaluation


def _fetch(window: MainWindow, folder: Path) -> object:
    download = window.session.model_download
    download.make_client = fake_client
    download.choose_target(folder / "models")
    download.fetch_originals()
    return download


WORK: dict[str, Begin] = {"analysis": _analyse, "evaluation": _evaluate, "download": _fetch}


@pytest.fixture(params=WORK)
def busy(request: pytest.FixtureRequest, window: MainWindow, tmp_path: Path, monkeypatch) -> MainWindow:
    """A window in which something goes on until it is stopped."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps([{"wait": str(tmp_path / "never")}]), encoding="utf-8")
    monkeypatch.setenv(SCRIPT, str(script))
    WORK[request.param](window, tmp_path)
    assert len(work_of(window.session)) == 1
    return window


def question(window: MainWindow) -> CloseWorkDialog:
    dialog = window.desk.dialog("leave work")
    assert isinstance(dialog, CloseWorkDialog)
    return dialog


def test_closing_asks_and_goes_on_if_that_is_wanted(busy: MainWindow) -> None:
    busy.close()
    assert busy.isVisible()
    assert question(busy).informativeText() == work_of(busy.session)[0]
    question(busy).go_on_button.click()
    assert busy.isVisible()
    assert work_of(busy.session)


def test_closing_stops_if_that_is_wanted(busy: MainWindow, engine: FakeEngine, qtbot) -> None:
    busy.close()
    question(busy).stop_button.click()
    qtbot.waitUntil(lambda: engine.closed)
    assert not busy.isVisible()


def test_a_window_without_work_closes_without_a_question(window: MainWindow, engine: FakeEngine) -> None:
    assert work_of(window.session) == ()
    window.close()
    assert not window.isVisible()
    assert engine.closed


# --- what is called interrupted -------------------------------------------------------------------------------------


def begin_run(output: Path, *, status: str | None) -> str:
    """Make one of four images of a run that ends in this way; None as after a crash."""
    from core.generation import GenerationRequest, plan_class
    from dataset.synthetic_dataset import SyntheticDataset

    request = GenerationRequest((("MEL", 4),), Path("models"), output)
    with SyntheticDataset.open(output) as dataset:
        planned = list(plan_class(request, "MEL", 4, dataset.seeds("MEL")))
        run = dataset.begin_run(request, planned)
        slot = run.slots[0]
        dataset.store(
            run, slot, make_pixels(slot.planned.seed), make_recipe("MEL", slot.planned.seed, slot.planned.index)
        )
        if status is not None:
            dataset.end_run(run, status)
    return run.run_id


def looked(window: MainWindow, qtbot) -> None:
    """Wait until the window knows what runs its folder holds."""
    with qtbot.waitSignal(window.session.unfinished):
        window.session._look_for_unfinished()


@pytest.mark.parametrize(("status", "offered"), [(None, True), ("failed", True), ("stopped", False)])
def test_only_what_nobody_stopped_is_offered(
    open_window: Opener, output: Path, qtbot, status: str | None, offered: bool
) -> None:
    begin_run(output, status=status)
    window = open_window()
    looked(window, qtbot)
    assert window.banner.isVisible() is offered
    assert len(window.session.interrupted) == int(offered)


def test_a_stopped_run_is_finished_where_somebody_asks_for_it(
    open_window: Opener, engine: FakeEngine, output: Path, qtbot
) -> None:
    stopped, interrupted = begin_run(output, status="stopped"), begin_run(output, status=None)
    window = open_window()
    looked(window, qtbot)
    assert "1 interrupted run" in window.banner.text
    window.setup.controls.more.menu().aboutToShow.emit()
    finish = window.setup.controls.finish
    assert finish.isEnabled()
    assert "3 images" in finish.toolTip()
    finish.trigger()
    wait_idle(window, qtbot)
    assert engine.changes[-1].run_ids == (stopped,)
    window.session.resume()
    wait_idle(window, qtbot)
    assert engine.changes[-1].run_ids == (interrupted,)


def test_a_folder_without_a_stopped_run_offers_none(window: MainWindow, engine: FakeEngine) -> None:
    window.setup.controls.more.menu().aboutToShow.emit()
    assert not window.setup.controls.finish.isEnabled()
    window.session.finish_stopped()
    assert engine.resumed == []


@pytest.mark.parametrize("closes", [True, False])
def test_a_run_that_was_stopped_to_close_the_window_is_offered_at_the_next_start(
    open_window: Opener, engine: FakeEngine, output: Path, qtbot, closes: bool
) -> None:
    engine.run_id = begin_run(output, status="stopped")  # as the engine notes it
    engine.gate.clear()
    window = open_window()
    window.setup.start.click()
    qtbot.waitUntil(lambda: window.session.run.total > 0)
    if closes:
        window.close()
        window._close_dialog.stop_button.click()
        engine.gate.set()
        qtbot.waitUntil(lambda: not window.isVisible())
    else:
        window.session.stop(StopMode.NOW)
        engine.gate.set()
        wait_idle(window, qtbot)
        window.close()
    assert [run.is_stopped for run in find_unfinished(output)] == [True]
    again = open_window()
    looked(again, qtbot)
    assert bool(again.session.interrupted) is closes
    assert again.banner.isVisible() is closes
