"""A run that is paused: nothing is lost, nothing is counted, and a stop is always heard."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from core.cancel import CancelToken, StopMode
from core.events import Continued, Event, Finished, ImageDone, Paused, Step
from core.generator.finishing import ProgressRate, WorkClock
from core.generator.image_generator import ImageGenerator
from core.images import read_image
from tests.support.patience import PATIENCE


class Reader(threading.Thread):
    """Reads a stream on a thread of its own, as the window does, and steers the run at chosen events."""

    def __init__(self, stream: Iterator[Event], at) -> None:
        super().__init__(daemon=True)
        self.events: list[Event] = []
        self.waits = threading.Event()
        self._stream, self._at = stream, at

    def run(self) -> None:
        for event in self._stream:
            self.events.append(event)
            self._at(event)
            if isinstance(event, Paused):
                self.waits.set()


def pause_at_step(token: CancelToken, position: int, step: int):
    def at(event: Event) -> None:
        if isinstance(event, Step) and event.images == (position,) and event.step == step:
            token.pause()

    return at


def pixels(events: list[Event]) -> list[bytes]:
    return [read_image(event.file).tobytes() for event in events if isinstance(event, ImageDone)]


@pytest.fixture
def paused(ask, tmp_path):
    """Start a run of three images that pauses after the given step of the second one; return (reader, token)."""

    def begin(step: int = 2) -> tuple[Reader, CancelToken]:
        token = CancelToken()
        request = ask({"MEL": 3}, output=tmp_path / "paused")
        reader = Reader(ImageGenerator().generate(request, token), pause_at_step(token, 2, step))
        reader.start()
        assert reader.waits.wait(PATIENCE)
        return reader, token

    return begin


def test_a_paused_run_makes_the_very_same_images(ask, tmp_path, paused):
    whole = list(ImageGenerator().generate(ask({"MEL": 3}, output=tmp_path / "whole")))
    reader, token = paused()
    before = len(reader.events)
    reader.join(0.3)
    assert reader.is_alive()
    assert len(reader.events) == before
    assert isinstance(reader.events[-1], Paused)
    token.go_on()
    reader.join(PATIENCE)
    assert pixels(reader.events) == pixels(whole)
    steps = [(e.images, e.step) for e in reader.events if isinstance(e, Step)]
    assert steps == [((image,), step) for image in (1, 2, 3) for step in (1, 2, 3)]


def test_a_finished_picture_is_stored_before_the_pause(paused):
    reader, token = paused(step=3)
    assert sum(isinstance(event, ImageDone) for event in reader.events) == 2
    token.request(StopMode.NOW)
    reader.join(PATIENCE)


@pytest.mark.parametrize(
    ("mode", "status", "kept"),
    [(StopMode.AFTER_IMAGE, "stopped", 2), (StopMode.NOW, "stopped", 1), (StopMode.DISCARD, "discarded", 0)],
)
def test_a_stop_ends_the_pause(paused, mode, status, kept):
    reader, token = paused()
    token.request(mode)
    reader.join(PATIENCE)
    finished = reader.events[-1]
    assert isinstance(finished, Finished)
    assert (finished.status, finished.written) == (status, kept)


def test_the_time_of_a_pause_counts_nowhere(paused):
    began = time.perf_counter()
    reader, token = paused()
    time.sleep(0.5)
    token.go_on()
    reader.join(PATIENCE)
    wall = time.perf_counter() - began
    (continued,) = [event for event in reader.events if isinstance(event, Continued)]
    done = [event for event in reader.events if isinstance(event, ImageDone)]
    assert continued.seconds > 0
    assert reader.events[-1].seconds <= wall - continued.seconds
    assert sum(event.seconds for event in done) <= wall - continued.seconds


def test_rate_and_remaining_time_do_not_see_a_pause():
    now = [0.0]
    clock = WorkClock(lambda: now[0])
    pace = ProgressRate(4, clock)
    now[0] = 2.0
    pace.finish_one()
    now[0] = 1002.0
    clock.leave_out(1000.0)
    now[0] = 1004.0
    pace.finish_one()
    assert (pace.rate, pace.remaining) == (0.5, 4.0)
