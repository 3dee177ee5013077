"""Jobs beside the window: real processes, what they tell, and that each of them ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from PyQt5.QtWidgets import QApplication

from core.cancel import StopMode
from core.events import Event, Notice
from gui.workers.job import KILLED, JobEnd, WorkerJob
from tests.core.jobs.counting import CountRequest, ReportedRequest

PATIENCE_MS = 120_000


class Watched:
    """A job, what it has told so far, and how it ended."""

    def __init__(self, job: WorkerJob, qtbot: Any) -> None:
        self.job, self._qtbot = job, qtbot
        self.events: list[Event] = []
        self.ends: list[JobEnd] = []
        job.told.connect(self.events.append)
        job.ended.connect(self.ends.append)

    @property
    def words(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Notice)]

    def until(self, condition: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(condition, timeout=PATIENCE_MS)

    def wait(self) -> JobEnd:
        self.until(lambda: bool(self.ends))
        assert not self.job.running
        return self.ends[0]


@pytest.fixture
def run(qapp: QApplication, qtbot: Any) -> Iterator[Callable[..., Watched]]:
    started: list[Watched] = []

    def start(request: Any, grace_ms: int = 60_000) -> Watched:
        watched = Watched(WorkerJob(request, grace_ms=grace_ms), qtbot)
        watched.job.start()
        started.append(watched)
        return watched

    yield start
    for watched in started:
        watched.job.leave(5000)


def test_events_arrive_and_then_the_end_once(run: Any) -> None:
    watched = run(CountRequest(to=3))
    assert watched.wait() == JobEnd(0, False)
    assert watched.words == ["1", "2", "3", "completed"]
    assert len(watched.ends) == 1


def test_many_events_all_arrive_before_the_end(run: Any) -> None:
    watched = run(CountRequest(to=1000))
    watched.wait()
    assert len(watched.words) == 1001


@pytest.mark.parametrize("mode", list(StopMode))
def test_a_stop_of_each_kind(run: Any, mode: StopMode) -> None:
    watched = run(CountRequest(to=1000, does="slowly"))
    watched.until(lambda: bool(watched.events))
    watched.job.stop(mode=mode)
    watched.wait()
    assert watched.words[-1] == mode.value


def test_a_stopped_job_that_raises_is_cancelled_not_failed(run: Any) -> None:
    watched = run(ReportedRequest(to=10**9))
    watched.until(lambda: bool(watched.events))
    watched.job.stop()
    assert watched.wait() == JobEnd(130, True)


def test_a_pause_holds_it(run: Any) -> None:
    watched = run(CountRequest(to=1000, does="slowly"))
    watched.until(lambda: bool(watched.events))
    watched.job.pause()
    watched.until(lambda: any(event.name == "paused" for event in watched.events))
    assert not watched.ends
    watched.job.go_on()
    watched.wait()
    assert watched.words[-1] == "completed"


def test_an_error_keeps_kind_and_words(run: Any) -> None:
    end = run(CountRequest(does="refuse")).wait()
    assert end.exit_code == 3
    assert not end.cancelled
    assert end.error is not None
    assert (end.error.kind, end.error.message) == ("input", "There is no number 7.")


def test_an_error_nobody_expected_is_told_in_words(run: Any) -> None:
    end = run(CountRequest(does="fail")).wait()
    assert end.exit_code == 1
    assert "of course" in str(end.error)


@pytest.mark.parametrize("does", ["kill", "crash"])
def test_a_sudden_death_is_an_end_with_a_reason(run: Any, does: str) -> None:
    end = run(CountRequest(does=does)).wait()
    assert (end.exit_code, end.cancelled) == (KILLED, False)
    assert end.error is not None
    assert end.error.kind == "engine_died"


def test_one_that_does_not_stop_is_ended_by_force(run: Any, tmp_path: Path) -> None:
    watched = run(CountRequest(to=1000, does="deaf"), grace_ms=200)
    watched.until(lambda: bool(watched.events))
    watched.job.stop()
    assert watched.wait() == JobEnd(KILLED, True)


def test_one_that_still_loads_when_it_is_stopped_is_not_waited_for(run: Any) -> None:
    """It has told nothing, so there is nothing that it could keep."""
    watched = run(CountRequest(does="load", at=1), grace_ms=10**8)
    watched.until(lambda: watched.job.pid != 0)
    watched.job.stop()
    assert watched.wait() == JobEnd(KILLED, True)


def test_the_process_is_gone_after_the_end_and_after_leave(run: Any) -> None:
    watched = run(CountRequest(to=1000, does="slowly"))
    watched.until(lambda: bool(watched.events))
    pid = watched.job.pid
    watched.job.leave(60_000)
    assert not psutil.pid_exists(pid)
