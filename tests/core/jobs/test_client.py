"""A worker's process: events, three stops, pause, errors, sudden death, goodbye, and the end of whoever asked."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.cancel import CancelToken, StopMode
from core.errors import ISICGUIError
from core.events import Continued, Event, Notice, Paused, Progress
from core.jobs.client import JobClient, WorkerDiedError, WorkerFaultError
from core.jobs.stream import JobStopped
from core.jobs.worker import CANCEL
from core.message import Message
from tests.core.jobs.counting import CountRequest, ReportedRequest

HERE = "tests.core.jobs.counting"
ROOT = Path(__file__).resolve().parents[3]
DEADLINE = 120.0


@pytest.fixture(scope="module")
def client() -> Iterator[JobClient]:
    made = JobClient()
    yield made
    made.close()


def words(events: Iterator[Event]) -> list[str]:
    return [event.message for event in events if isinstance(event, Notice)]


def wait_until(condition: object, what: str) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, what
        time.sleep(0.01)


def test_events_arrive_in_order_and_from_another_process(client: JobClient) -> None:
    assert words(client.run(CountRequest(to=4))) == ["1", "2", "3", "4", "completed"]
    assert client.call(f"{HERE}:pid") == client.pid != os.getpid()


def test_a_call_returns_its_value(client: JobClient) -> None:
    assert client.call(f"{HERE}:add", 2, 3) == 5


@pytest.mark.parametrize("mode", list(StopMode))
def test_each_kind_of_stop_reaches_the_job(client: JobClient, mode: StopMode) -> None:
    cancel = CancelToken()
    told = []
    for event in client.run(CountRequest(to=1000, does="slowly"), cancel):
        told.append(event.message)
        cancel.request(mode)
    assert told[-1] == mode.value
    assert len(told) < 1000


def test_a_stop_reaches_a_call(client: JobClient) -> None:
    cancel = CancelToken()
    stream = client.stream(f"{HERE}:until_stopped", CANCEL, cancel=cancel)
    assert next(stream) == "begun"
    cancel.request(StopMode.DISCARD)
    assert list(stream) == ["discard"]


def test_a_pause_holds_the_job_until_it_is_over(client: JobClient) -> None:
    cancel = CancelToken()
    cancel.pause()
    events = client.run(CountRequest(to=1000, does="slowly"), cancel)
    kinds = []
    for event in events:
        kinds.append(type(event))
        if type(event) is Paused:
            cancel.go_on()
    assert kinds.count(Paused) == kinds.count(Continued) >= 1
    assert kinds.count(Notice) == 1001


def test_two_jobs_side_by_side_do_not_mix(client: JobClient) -> None:
    first, second = client.run(CountRequest(to=3)), client.run(CountRequest(to=5))
    assert next(first).message == next(second).message == "1"
    assert words(second) == ["2", "3", "4", "5", "completed"]
    assert words(first) == ["2", "3", "completed"]


def test_an_error_keeps_its_kind_words_and_exit_code(client: JobClient) -> None:
    with pytest.raises(ISICGUIError, match="There is no number 7") as caught:
        list(client.run(CountRequest(does="refuse")))
    error = caught.value
    assert (error.kind, error.exit_code, error.remedy, error.path) == ("input", 3, "Count.", Path("x"))
    assert isinstance(error.message, Message)
    assert error.message.template == "There is no number {n}."


def test_an_error_nobody_expected_brings_its_traceback(client: JobClient) -> None:
    with pytest.raises(WorkerFaultError, match="of course") as caught:
        list(client.run(CountRequest(does="fail")))
    assert "_fail" in caught.value.details


def test_what_is_logged_there_is_logged_here(client: JobClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        list(client.run(CountRequest(does="log")))
    assert "two" in caplog.messages


@pytest.mark.parametrize("does", ["crash", "kill"])
def test_a_sudden_death_is_told_and_the_next_job_has_a_new_process(client: JobClient, does: str) -> None:
    with pytest.raises(WorkerDiedError, match="Finished work is kept"):
        list(client.run(CountRequest(does=does)))
    assert words(client.run(CountRequest(to=1))) == ["1", "completed"]


def test_what_was_finished_before_a_kill_is_kept(client: JobClient, tmp_path: Path) -> None:
    with pytest.raises(WorkerDiedError):
        list(client.run(CountRequest(to=9, at=5, does="kill", output=tmp_path)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.txt", "2.txt", "3.txt", "4.txt"]


def test_a_client_can_kill_its_worker(client: JobClient) -> None:
    events = client.run(CountRequest(to=1000, does="slowly"))
    next(events)
    client.kill()
    with pytest.raises(WorkerDiedError):
        list(events)


def test_whoever_loses_interest_stops_the_job(client: JobClient, tmp_path: Path) -> None:
    events = client.run(CountRequest(to=1000, does="slowly", output=tmp_path))
    next(events)
    events.close()
    assert words(client.run(CountRequest(to=1))) == ["1", "completed"]
    assert len(list(tmp_path.iterdir())) < 1000


def test_a_job_that_reports_by_a_context(client: JobClient) -> None:
    events = list(client.run(ReportedRequest(to=3)))
    assert words(iter(events)) == ["0", "1", "2"]
    first = next(event for event in events if isinstance(event, Progress))
    assert (first.done, first.total, first.unit, first.words, first.fraction) == (0, 3, "numbers", "counting", 0.0)


def test_a_stopped_one_raises_here_too(client: JobClient) -> None:
    cancel = CancelToken()
    cancel.request(StopMode.NOW)
    with pytest.raises(JobStopped):
        list(client.run(ReportedRequest(to=1_000_000), cancel))


def test_a_closed_client_takes_nothing_more() -> None:
    client = JobClient()
    pid = client.call(f"{HERE}:pid")
    client.close()
    assert not psutil.pid_exists(pid)
    with pytest.raises(WorkerDiedError, match="closed"):
        client.call(f"{HERE}:pid")


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), signal.SIGKILL)", "pass"])
def test_the_worker_ends_when_whoever_asked_is_gone(end: str) -> None:
    script = (
        "import os, signal, sys\n"
        "from core.jobs.client import JobClient\n"
        "if __name__ == '__main__':\n"
        "    client = JobClient()\n"
        f"    print(client.call('{HERE}:pid'), flush=True)\n"
        "    sys.stdin.readline()\n"
        f"    {end}\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdin
        pid = int(process.stdout.readline())
        worker = psutil.Process(pid)
        process.stdin.write("\n")
        process.stdin.flush()
        wait_until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, "the worker lives on")
        process.wait(DEADLINE)


def test_ctrl_c_in_a_terminal_leaves_the_worker_alone(client: JobClient) -> None:
    events = client.run(CountRequest(to=20, does="slowly"))
    next(events)
    assert client.pid
    os.kill(client.pid, signal.SIGINT)
    assert words(events)[-1] == "completed"


def test_a_stop_that_was_asked_for_before_comes_with_the_request(client: JobClient, tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.request(StopMode.DISCARD)
    assert words(client.run(CountRequest(to=9, output=tmp_path), cancel)) == ["discard"]
    assert list(tmp_path.iterdir()) == []
