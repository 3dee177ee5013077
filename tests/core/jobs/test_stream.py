"""Events out of code that reports by a context."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator

import pytest

from core.cancel import CancelToken, StopMode
from core.events import Event, Notice, Paused, Progress
from core.jobs.stream import JobContext, JobStopped, stream


def test_events_come_in_order_and_then_the_end() -> None:
    def work(context: JobContext) -> None:
        for number in range(100):
            context.tell(Notice("number", str(number)))

    assert [event.message for event in stream(work, CancelToken())] == [str(number) for number in range(100)]


def test_what_the_work_returns_is_returned() -> None:
    def work(context: JobContext) -> int:
        context.tell(Notice("a", "b"))
        return 7

    def follow() -> Iterator[Event]:
        yield Notice("result", str((yield from stream(work, CancelToken()))))

    assert [event.message for event in follow() if isinstance(event, Notice)] == ["b", "7"]


def test_progress_says_its_count_where_something_is_counted() -> None:
    assert Progress(3, 10, "images", "Reading", 0.1).sentence == "Reading (3 of 10)"
    assert Progress(0, 1, "", "Writing", 0.9).sentence == "Writing"


def test_an_error_is_raised_where_the_events_are_read() -> None:
    def work(context: JobContext) -> None:
        context.tell(Notice("a", "b"))
        raise ZeroDivisionError

    events = stream(work, CancelToken())
    next(events)
    with pytest.raises(ZeroDivisionError):
        next(events)


@pytest.mark.parametrize("mode", list(StopMode))
def test_every_stop_is_seen_by_check(mode: StopMode) -> None:
    cancel = CancelToken()

    def work(context: JobContext) -> None:
        while True:
            context.check()

    cancel.request(mode)
    with pytest.raises(JobStopped):
        list(stream(work, cancel))


def test_closing_early_stops_the_work_and_waits_for_it() -> None:
    ended = threading.Event()

    def work(context: JobContext) -> None:
        try:
            for _ in context.steps(10**9):
                context.tell(Notice("a", "b"))
        finally:
            ended.set()

    events = stream(work, CancelToken())
    next(events)
    events.close()
    assert ended.is_set()


def test_a_pause_waits_and_is_told() -> None:
    cancel = CancelToken()
    cancel.pause()

    def work(context: JobContext) -> None:
        context.check()
        context.tell(Notice("a", "after"))

    events = stream(work, cancel)
    assert isinstance(next(events), Paused)
    cancel.go_on()
    assert [event.name for event in events] == ["continued", "notice"]


def test_parts_of_parts_count_as_shares_of_the_whole() -> None:
    told: list[Event] = []
    context = JobContext(None, told.append)
    context.part(0.5, 0.5, "second").part(0.5, 0.5).progress(0, 10)
    assert told == [Progress(0, 10, "", "second", 0.75)]


def test_progress_between_is_told_seldom_and_checked_always() -> None:
    told: list[Event] = []
    context = JobContext(None, told.append)
    context.progress(0, 1000)
    for done in range(1, 1000):
        context.progress(done, 1000)
    assert 1 <= len(told) < 100
    context.cancel.request(StopMode.NOW)
    with pytest.raises(JobStopped):
        context.progress(1000, 1000)


def test_the_work_sees_the_context_variables_of_whoever_began_it() -> None:
    variable = contextvars.ContextVar("variable", default="outside")
    variable.set("inside")
    seen = []
    list(stream(lambda context: seen.append(variable.get()), CancelToken()))
    assert seen == ["inside"]
