"""Commands beside the window: real child processes, what they say, and that each of them ends."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from PyQt5.QtWidgets import QApplication

from gui.workers import command_job
from gui.workers.command_job import KILLED, NOT_STARTED, CommandJob, JobEnd
from tests.support.patience import PATIENCE, PATIENCE_MS, wait_until

ROOT = Path(__file__).resolve().parents[2]

HEAD = f"""
import json, os, signal, sys, time
sys.path.insert(0, {str(ROOT)!r})
from core.utils.leash import obey_leash
def tell(**values): print(json.dumps(values, ensure_ascii=False), flush=True)
"""


class Watched:
    """A job, what it has told so far, and how it ended."""

    def __init__(self, job: CommandJob, qtbot: Any) -> None:
        self.job, self._qtbot = job, qtbot
        self.events: list[dict[str, Any]] = []
        self.words: list[str] = []
        self.ends: list[JobEnd] = []
        job.told.connect(self.events.append)
        job.said.connect(self.words.append)
        job.ended.connect(self.ends.append)

    def until(self, condition: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(condition)

    def wait(self) -> JobEnd:
        self.until(lambda: bool(self.ends))
        assert not self.job.running
        return self.ends[0]


@pytest.fixture
def run(qapp: QApplication, tmp_path: Path, qtbot: Any):
    started: list[Watched] = []

    def start(body: str, *arguments: str, grace_ms: int = PATIENCE_MS) -> Watched:
        script = tmp_path / f"child{len(started)}.py"
        script.write_text(HEAD + body, encoding="utf-8")
        watched = Watched(CommandJob(arguments, script=script, grace_ms=grace_ms), qtbot)
        started.append(watched)
        watched.job.start()
        return watched

    yield start
    for watched in started:
        if watched.job.running:
            os.kill(watched.job.pid, signal.SIGTERM)
            watched.wait()


def test_events_arrive_in_order_and_the_end_last(run) -> None:
    job = run("""
tell(event="started", arguments=sys.argv[1:])
print("Für Menschen – 人", file=sys.stderr)
tell(event="finished", words="ёж")
""", "trajectory", "--class", "MEL")  # fmt: skip
    end = job.wait()
    assert job.events == [
        {"event": "started", "arguments": ["trajectory", "--class", "MEL", "--json"]},
        {"event": "finished", "words": "ёж"},
    ]
    assert end == JobEnd(0, False, "Für Menschen – 人")
    assert job.words == ["Für Menschen – 人"]


def test_an_error_is_told_with_its_remedy(run) -> None:
    end = run("""
tell(event="error", kind="locked", message="Another run writes here.", remedy="Wait for it.")
sys.exit(4)
""").wait()
    assert (end.exit_code, end.cancelled) == (4, False)
    assert end.error is not None
    assert (end.error.kind, end.error.message, end.error.remedy) == (
        "locked", "Another run writes here.", "Wait for it.",
    )  # fmt: skip


def test_a_traceback_is_in_the_tail(run) -> None:
    end = run("raise RuntimeError('planted')").wait()
    assert end.exit_code == 1
    assert "RuntimeError: planted" in end.log_tail


def test_a_line_that_arrives_in_pieces_is_one_event(run) -> None:
    job = run("""
for piece in (b'{"event": "sp', b'lit", "word": "\\xd1', b'\\x91"}', b'\\n{"event": "whole"}\\n{"event": "unended"}'):
    os.write(1, piece)
    time.sleep(0.05)
""")
    job.wait()
    assert job.events == [{"event": "split", "word": "ё"}, {"event": "whole"}, {"event": "unended"}]


def test_lines_that_are_no_events_go_to_the_log(run) -> None:
    job = run("""
print("a library's greeting")
print("[1, 2]")
print('{"no": "event"}')
print("\\x1b[31m" + "x" * 3_000_000)
tell(event="real")
""")
    job.wait()
    assert [event["event"] for event in job.events] == ["real"]
    assert job.words[:3] == ["a library's greeting", "[1, 2]", '{"no": "event"}']
    assert len(job.words) == 4
    assert set(job.words[3]) == {"x"}
    assert len(job.words[3]) <= command_job.LONGEST_WORDS


def test_a_flood_loses_nothing_and_lets_the_window_have_its_turn(run) -> None:
    from PyQt5.QtCore import QTimer

    job = run('sys.stdout.write(\'\'.join(\'{"event": "n", "n": %d}\\n\' % n for n in range(50_000)))')
    seen: list[int] = []  # how many events had come at each turn of something else in the window
    timer = QTimer()
    timer.timeout.connect(lambda: seen.append(len(job.events)))
    timer.start(0)
    job.wait()
    timer.stop()
    assert [event["n"] for event in job.events] == list(range(50_000))
    steps = [later - earlier for earlier, later in itertools.pairwise(seen)]
    assert max(steps) <= 2 * command_job.LINES_AT_ONCE


def test_a_stop_is_a_ctrl_c_that_keeps_what_is_finished(run) -> None:
    job = run("""
obey_leash()
tell(event="ready")
try:
    time.sleep(600)
except KeyboardInterrupt:
    tell(event="kept")
    sys.exit(130)
""")
    job.until(lambda: bool(job.events))
    job.job.stop()
    job.job.stop()
    end = job.wait()
    assert (end.exit_code, end.cancelled) == (130, True)
    assert job.events[-1] == {"event": "kept"}


def test_what_was_done_before_the_stop_arrived_is_not_cancelled(run) -> None:
    job = run("""
obey_leash()
stopped = []
signal.signal(signal.SIGINT, lambda *_: stopped.append(1))
tell(event="ready")
while not stopped:
    time.sleep(0.01)
""")
    job.until(lambda: bool(job.events))
    job.job.stop()
    assert job.wait() == JobEnd(0, False, "")


def test_who_ignores_a_stop_is_ended_by_force(run) -> None:
    job = run("""
signal.signal(signal.SIGINT, signal.SIG_IGN)
obey_leash()
tell(event="ready")
time.sleep(600)
""", grace_ms=200)  # fmt: skip
    job.until(lambda: bool(job.events))
    pid = job.job.pid
    job.job.stop()
    end = job.wait()
    assert (end.exit_code, end.cancelled) == (KILLED, True)
    assert not psutil.pid_exists(pid)


def test_a_crash_is_an_end_like_any_other(run) -> None:
    end = run("os.kill(os.getpid(), signal.SIGKILL)").wait()
    assert (end.exit_code, end.cancelled) == (KILLED, False)


def test_a_program_that_is_not_there_is_told(qapp, qtbot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    watched = Watched(CommandJob(()), qtbot)
    watched.job.start()
    end = watched.wait()
    assert end.exit_code == NOT_STARTED
    assert end.log_tail


def test_the_child_does_not_outlive_a_window_that_was_killed(tmp_path: Path) -> None:
    child = tmp_path / "child.py"
    child.write_text(HEAD + """
obey_leash(grace=0.3)
signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worst of children
time.sleep(600)
""")  # fmt: skip
    window = tmp_path / "window.py"
    window.write_text(f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from PyQt5.QtCore import QCoreApplication
from gui.workers.command_job import CommandJob
app = QCoreApplication([])
job = CommandJob((), script=Path({str(child)!r}))
job.start()
print(job.pid, flush=True)
app.exec()
""")
    process = subprocess.Popen([sys.executable, str(window)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    assert psutil.pid_exists(pid)
    process.kill()
    process.wait(PATIENCE)
    process.stdout.close()
    wait_until(lambda: not psutil.pid_exists(pid))
