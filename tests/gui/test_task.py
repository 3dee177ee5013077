"""Tasks: results and errors come back in the GUI thread, and nothing comes back after the end."""

from __future__ import annotations

import concurrent.futures
import threading

from PyQt5 import sip

from gui.workers.task import TaskRunner


def test_result_and_error_arrive_in_this_thread(qtbot) -> None:
    tasks = TaskRunner(2)
    seen: list[tuple[object, int]] = []
    here = threading.get_ident()

    def fail() -> None:
        raise RuntimeError("torn")

    def note(value: object) -> None:
        seen.append((str(value), threading.get_ident()))

    tasks.start(lambda: threading.get_ident() != here, note, note)
    tasks.start(fail, note, note)
    qtbot.waitUntil(lambda: tasks.is_idle)
    assert sorted(seen) == [("True", here), ("torn", here)]


def test_after_the_end_nothing_is_started_or_delivered(qtbot) -> None:
    tasks = TaskRunner(1)
    seen: list[object] = []
    begun, gate = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        gate.wait()

    tasks.start(hold, seen.append, seen.append)
    tasks.start(lambda: "waiting", seen.append, seen.append)
    begun.wait()
    tasks.close(0.0)
    gate.set()
    tasks.start(lambda: "late", seen.append, seen.append)
    qtbot.waitUntil(lambda: tasks.is_idle)
    qtbot.wait(20)
    assert seen == []


def test_waiting_tasks_can_be_dropped(qtbot) -> None:
    tasks = TaskRunner(1)
    seen: list[object] = []
    begun, gate = threading.Event(), threading.Event()

    def hold() -> str:
        begun.set()
        gate.wait()
        return "held"

    tasks.start(hold, seen.append, seen.append)
    tasks.start(lambda: "dropped", seen.append, seen.append)
    begun.wait()
    tasks.forget_waiting()
    gate.set()
    qtbot.waitUntil(lambda: tasks.is_idle)
    assert seen == ["held"]


def test_a_result_that_arrives_after_its_runner_has_gone_reaches_nobody(qtbot) -> None:
    runner = TaskRunner(1)
    arrived: list[object] = []
    runner.start(lambda: 1, arrived.append, arrived.append)
    concurrent.futures.wait(list(runner._running.values()))  # the result now waits in the event loop's queue
    sip.delete(runner)
    with qtbot.captureExceptions() as raised:
        qtbot.wait(50)
    assert (arrived, raised) == ([], [])
