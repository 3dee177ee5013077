"""The queue of runs: order, failures, stops, restarts, and files that make no sense."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import QAbstractItemModel
from PyQt5.QtTest import QAbstractItemModelTester

from core.cancel import CancelToken, StopMode
from core.errors import DiskFullError, FolderLockedError, OutputError
from core.events import Event, Failed, Finished
from core.generation import GenerationRequest
from core.jobs.stream import JobStopped
from gui.run.queue import QueueModel
from gui.run.queue_store import QueuedRun, QueueState, QueueStore
from gui.run.run import RunModel
from gui.shell.main_window import MainWindow
from tests.gui.conftest import Opener
from tests.gui.fake_engine import FakeEngine
from tests.gui.test_run import ask_for, wait_idle

WAITING, HALF, DONE, FAILED = QueueState.WAITING, QueueState.INTERRUPTED, QueueState.DONE, QueueState.FAILED


class Bench:
    """A queue on a fake engine, without a window; as many of them on one folder as there are programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = FakeEngine(steps=2)
        self.run = RunModel(self.engine)
        self.store = QueueStore(folder / "config")
        self.queue = QueueModel(self.store, self.run, self._launch)
        self.tester = QAbstractItemModelTester(
            self.queue, QAbstractItemModelTester.FailureReportingMode.Fatal, self.queue
        )

    def _launch(self, queued: QueuedRun) -> None:
        if queued.state is HALF:
            self.run.resume(queued.request.output)
        else:
            self.run.start(queued.request)

    def add(self, *counts: int, output: str = "out") -> None:
        for count in counts:
            self.queue.add(GenerationRequest((("MEL", count),), Path("models"), self.folder / output))

    @property
    def states(self) -> list[QueueState]:
        return [run.state for run in self.queue.runs]

    @property
    def counts(self) -> list[int]:
        return [dict(run.request.counts)["MEL"] for run in self.queue.runs]

    def on_disk(self) -> list[tuple[int, str]]:
        runs = json.loads((self.folder / "config" / "queue.json").read_text(encoding="utf-8"))["runs"]
        return [(run["request"]["counts"]["MEL"], run["state"]) for run in runs]


@pytest.fixture
def open_bench(tmp_path: Path, qapp: object, qtbot) -> Iterator[object]:
    benches: list[Bench] = []

    def make() -> Bench:
        benches.append(Bench(tmp_path))
        return benches[-1]

    yield make
    for bench in benches:
        bench.queue.close()
        bench.engine.gate.set()
        bench.run.stop(StopMode.NOW)
        qtbot.waitUntil(lambda bench=bench: not bench.run.busy)


@pytest.fixture
def bench(open_bench) -> Bench:
    return open_bench()


def made(bench: Bench) -> list[int]:
    return [dict(request.counts)["MEL"] for request in bench.engine.requests]


def idle(bench: Bench) -> bool:
    return not bench.run.busy and not bench.queue.active


def test_runs_are_made_in_order_and_only_when_started(bench: Bench, qtbot) -> None:
    bench.add(3, 1, 2)
    qtbot.wait(50)
    assert bench.engine.requests == []
    bench.queue.start()
    qtbot.waitUntil(lambda: idle(bench))
    assert made(bench) == [3, 1, 2]
    assert bench.states == [DONE, DONE, DONE]
    assert [run.note[:18] for run in bench.queue.runs] == [
        "Finished: 3 images",
        "Finished: 1 image ",
        "Finished: 2 images",
    ]
    assert bench.queue.waiting == 0


def test_order_can_be_changed_and_runs_taken_out(bench: Bench, qtbot) -> None:
    bench.add(1, 2, 3, 4)
    assert bench.queue.move(3, -1) == 2
    assert bench.queue.move(0, 1) == 1
    assert bench.counts == [2, 1, 4, 3]
    assert bench.queue.move(0, -1) == 0
    assert bench.queue.move(3, 1) == 3
    bench.queue.remove(1)
    assert bench.counts == [2, 4, 3]
    bench.queue.start()
    qtbot.waitUntil(lambda: idle(bench))
    assert made(bench) == [2, 4, 3]
    bench.queue.remove_finished()
    assert bench.queue.runs == ()


def test_the_run_being_made_cannot_be_taken_out(bench: Bench, qtbot) -> None:
    bench.engine.gate.clear()
    bench.add(1, 1)
    bench.queue.start()
    qtbot.waitUntil(lambda: bench.run.started is not None)
    bench.queue.remove(0)
    bench.queue.remove(1)
    assert bench.states == [QueueState.RUNNING]
    bench.engine.gate.set()
    qtbot.waitUntil(lambda: idle(bench))


def test_what_is_added_while_the_queue_runs_is_made_too(bench: Bench, qtbot) -> None:
    bench.engine.gate.clear()
    bench.add(1)
    bench.queue.start()
    bench.add(2)
    bench.engine.gate.set()
    qtbot.waitUntil(lambda: idle(bench))
    assert made(bench) == [1, 2]


@pytest.mark.parametrize(
    "error",
    [RuntimeError("CUDA error"), FolderLockedError("Another window writes there."), OutputError("Planted", path="x")],
)
def test_a_failed_run_does_not_stop_the_next_unless_its_folder_is_gone(bench: Bench, qtbot, error: Exception) -> None:
    def fail(number: int) -> None:
        if len(bench.engine.requests) == 1:
            raise error

    failures = []
    bench.queue.run_failed.connect(failures.append)
    bench.engine.fail_at = fail
    bench.add(1, 2)
    bench.queue.start()
    qtbot.waitUntil(lambda: idle(bench))
    gone = isinstance(error, OutputError) and not isinstance(error, FolderLockedError)
    assert bench.states == [FAILED, WAITING if gone else DONE]
    assert str(error) in bench.queue.runs[0].note
    assert failures == [bench.queue.runs[0]]


def test_a_full_disk_holds_the_queue_and_the_run_can_be_tried_again(bench: Bench, qtbot) -> None:
    full = [True]

    def fail(number: int) -> None:
        if number == 2 and full[0]:
            raise DiskFullError("The disk is full.")

    bench.engine.fail_at = fail
    bench.add(3, 1)
    bench.queue.start()
    qtbot.waitUntil(lambda: idle(bench))
    assert bench.states == [FAILED, WAITING]
    full[0] = False
    bench.queue.try_again(0)
    assert bench.states == [HALF, WAITING]  # it had begun: what is missing is made, nothing twice
    bench.queue.start()
    qtbot.waitUntil(lambda: idle(bench))
    assert bench.states == [DONE, DONE]
    assert bench.engine.resumed == [bench.folder / "out"]


def test_a_class_that_cannot_be_made_is_a_failure_with_its_reason(bench: Bench, qtbot, monkeypatch) -> None:
    refused = Failed("NV", "model", "unet_NV_best.pth ends too early.", "Download it again.", 1)
    whole = FakeEngine._end

    def end(self, *arguments) -> Finished:
        finished = whole(self, *arguments)
        return Finished(finished.run_id, "failed", finished.written, 1, 0, 1.0, finished.output)

    monkeypatch.setattr(FakeEngine, "_end", end)
    bench.engine.extra = lambda number: iter([refused] if number == 1 else [])
    bench.add(1)
    bench.queue.start()
    qtbot.waitUntil(lambda: idle(bench))
    assert bench.states == [FAILED]
    assert "NV: unet_NV_best.pth ends too early." in bench.queue.runs[0].note


@pytest.mark.parametrize(("mode", "state"), [(StopMode.NOW, HALF), (StopMode.DISCARD, QueueState.DISCARDED)])
def test_a_stop_holds_the_queue(bench: Bench, qtbot, mode: StopMode, state: QueueState) -> None:
    bench.engine.gate.clear()
    bench.add(2, 1)
    bench.queue.start()
    qtbot.waitUntil(lambda: bench.run.started is not None)
    bench.run.stop(mode)
    bench.engine.gate.set()
    qtbot.waitUntil(lambda: idle(bench))
    assert bench.states == [state, WAITING]
    assert len(bench.engine.requests) == 1


@pytest.mark.parametrize(("run_id", "state"), [("", WAITING), ("r7", HALF)])
def test_a_run_that_is_stopped_before_it_begins_is_made_the_next_time(
    open_bench, qtbot, monkeypatch, run_id: str, state: QueueState
) -> None:
    bench = open_bench()
    bench.add(2)
    bench.queue._runs[0] = dataclasses.replace(bench.queue._runs[0], run_id=run_id, state=state)

    def stopped(*_: object) -> Iterator[Event]:
        raise JobStopped
        yield

    with monkeypatch.context() as loading:
        for name in ("generate", "resume"):
            loading.setattr(bench.engine, name, stopped)
        bench.queue.start()
        qtbot.waitUntil(lambda: not bench.run.busy and not bench.queue.active)
    assert bench.states == [state]
    bench.queue.start()
    qtbot.waitUntil(lambda: bench.states == [DONE])


def test_hold_lets_the_present_run_end(bench: Bench, qtbot) -> None:
    bench.engine.gate.clear()
    bench.add(2, 1)
    bench.queue.start()
    bench.queue.hold()
    bench.engine.gate.set()
    qtbot.waitUntil(lambda: not bench.run.busy and bench.states[0] is DONE)
    qtbot.wait(50)
    assert bench.states == [DONE, WAITING]


def test_a_run_started_by_hand_comes_first_and_is_not_the_queues(bench: Bench, qtbot) -> None:
    bench.engine.gate.clear()
    bench.run.start(GenerationRequest((("MEL", 9),), Path("models"), bench.folder / "by hand"))
    bench.add(1)
    bench.queue.start()
    assert bench.states == [WAITING]
    assert not bench.queue.owns_the_run
    bench.engine.gate.set()
    qtbot.waitUntil(lambda: idle(bench))
    assert made(bench) == [9, 1]


def test_it_is_there_again_at_the_next_start_and_waits(open_bench, qtbot) -> None:
    first = open_bench()
    first.add(3, 1)
    first.queue.move(1, -1)
    first.queue.close()
    second = open_bench()
    assert second.counts == [1, 3]
    assert second.states == [WAITING, WAITING]
    assert not second.queue.active
    qtbot.wait(50)
    assert second.engine.requests == []


def test_a_program_that_died_in_the_middle_left_an_interrupted_run(open_bench, qtbot, tmp_path: Path) -> None:
    """What is on disk while a run goes on is all that a killed program leaves."""
    first = open_bench()
    first.engine.gate.clear()
    first.add(2, 1)
    first.queue.start()
    qtbot.waitUntil(lambda: (tmp_path / "config" / "queue.json").exists() and first.queue.runs[0].run_id == "r1")
    qtbot.waitUntil(lambda: first.on_disk() == [(2, "running"), (1, "waiting")] and "r1" in _text(tmp_path))
    left = _text(tmp_path)
    first.engine.gate.set()
    first.run.stop(StopMode.NOW)
    qtbot.waitUntil(lambda: idle(first))
    first.queue.close()
    (tmp_path / "config" / "queue.json").write_text(left, encoding="utf-8")
    second = open_bench()
    assert second.states == [HALF, WAITING]
    second.queue.start()
    qtbot.waitUntil(lambda: idle(second))
    assert second.engine.resumed == [tmp_path / "out"]
    assert second.states == [DONE, DONE]


def _text(folder: Path) -> str:
    return (folder / "config" / "queue.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"runs": 7}', '{"runs": {}}x', "\xff"])
def test_a_file_that_makes_no_sense_is_set_aside(tmp_path: Path, open_bench, text: str) -> None:
    place = tmp_path / "config" / "queue.json"
    place.parent.mkdir()
    place.write_bytes(text.encode("latin-1"))
    bench = open_bench()
    assert bench.queue.runs == ()
    assert "queue.json.corrupt-" in bench.queue.notice
    (aside,) = place.parent.glob("queue.json.corrupt-*")
    assert aside.read_bytes() == text.encode("latin-1")
    bench.add(1)
    bench.queue.close()
    assert bench.on_disk() == [(1, "waiting")]


def test_one_run_that_makes_no_sense_does_not_cost_the_others(tmp_path: Path, open_bench) -> None:
    first = open_bench()
    first.add(1, 2, 3)
    first.queue.close()
    data = json.loads(_text(tmp_path))
    data["runs"][1]["request"]["sampler"] = "of next year"
    (tmp_path / "config" / "queue.json").write_text(json.dumps(data), encoding="utf-8")
    second = open_bench()
    assert second.counts == [1, 3]
    assert "1 of 3 saved runs" in second.queue.notice
    assert len(list((tmp_path / "config").glob("queue.json.corrupt-*"))) == 1


def test_a_second_window_has_a_queue_of_its_own_that_harms_nothing(open_bench, qtbot) -> None:
    first = open_bench()
    first.add(1, 2)
    second = open_bench()
    assert first.queue.is_kept
    assert not second.queue.is_kept
    assert second.queue.runs == ()
    second.add(7)
    second.queue.close()
    first.queue.close()
    assert first.on_disk() == [(1, "waiting"), (2, "waiting")]
    assert open_bench().counts == [1, 2]


def test_a_queue_that_cannot_be_saved_is_told_once_and_goes_on(bench: Bench, qtbot) -> None:
    errors = []
    bench.queue.failed.connect(errors.append)
    (bench.folder / "config" / "queue.json").mkdir()
    bench.add(1, 2)
    qtbot.waitUntil(lambda: bool(errors))
    bench.queue.start()
    qtbot.waitUntil(lambda: idle(bench))
    assert bench.states == [DONE, DONE]
    assert len(errors) == 1
    assert isinstance(errors[0], OutputError)
    (bench.folder / "config" / "queue.json").rmdir()


def test_the_model_keeps_qts_rules(bench: Bench) -> None:
    assert isinstance(bench.queue, QAbstractItemModel)
    assert "MEL 1" in (bench.add(1), bench.queue.index(0).data())[1]


def test_the_panel_queues_starts_and_tells_of_a_failure(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    def fail(number: int) -> None:
        if len(engine.requests) == 1:
            raise RuntimeError("CUDA error: planted")

    engine.fail_at = fail
    ask_for(window, MEL=1)
    window.setup.controls.enqueue.click()
    ask_for(window, NV=2)
    window.setup.controls.enqueue.click()
    panel = window.queue
    assert panel.list.model().rowCount() == 2
    assert "2 runs waiting" in panel.hint.text()
    panel.list.setCurrentIndex(window.session.queue.index(1))
    panel.up.click()
    assert [dict(run.request.counts) for run in window.session.queue.runs] == [{"NV": 2}, {"MEL": 1}]
    assert panel.list.currentIndex().row() == 0
    panel.start.click()
    assert panel.start.text() == "Pause queue"
    qtbot.waitUntil(lambda: not window.session.queue.active and not window.session.run.busy)
    assert window._problems == []  # nobody may be there to close a dialog
    assert "has failed" in window.banner.text
    window.banner._action.click()
    assert "planted" in window._problems[0].problem.message
    assert [run.state for run in window.session.queue.runs] == [FAILED, DONE]


def test_closing_the_window_in_a_queued_run_leaves_the_rest_for_the_next_start(
    open_window: Opener, engine: FakeEngine, qtbot
) -> None:
    first = open_window()
    engine.gate.clear()
    ask_for(first, MEL=2)
    first.session.queue_up()
    first.session.queue_up()
    first.session.queue.start()
    qtbot.waitUntil(lambda: first.session.run.total == 2)
    first.close()
    first._close_dialog.stop_button.click()
    qtbot.waitUntil(lambda: not first.isVisible())
    engine.gate.set()
    second = open_window()
    assert [run.state for run in second.session.queue.runs] == [HALF, WAITING]
    assert len(engine.requests) == 1


def resumed_nothing(output: Path, models: Path | None, cancel: CancelToken) -> Iterator[Event]:
    yield Finished("", "completed", 0, 0, 0, 0.0, output)


def test_an_interrupted_run_that_somebody_has_finished_is_done(open_window: Opener, engine: FakeEngine, qtbot) -> None:
    window = open_window()
    engine.gate.clear()
    ask_for(window, MEL=1)
    window.session.queue_up()
    window.session.queue.start()
    qtbot.waitUntil(lambda: window.session.run.started is not None)
    window.session.stop(StopMode.NOW)
    wait_idle(window, qtbot)
    engine.resume = resumed_nothing
    window.session.queue.start()
    qtbot.waitUntil(lambda: not window.session.queue.active and not window.session.run.busy)
    assert window.session.queue.runs[0].state is DONE
