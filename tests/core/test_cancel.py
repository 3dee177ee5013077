"""A stop can become more urgent, never less."""

import itertools
import threading

import pytest

from core.cancel import CancelToken, StopMode
from tests.support.patience import PATIENCE, wait_until

ORDER = [StopMode.AFTER_IMAGE, StopMode.NOW, StopMode.DISCARD]


@pytest.mark.parametrize("sequence", list(itertools.product(ORDER, repeat=3)))
def test_the_most_urgent_request_wins_in_any_order(sequence):
    token = CancelToken()
    for mode in sequence:
        token.request(mode)
    assert token.mode is max(sequence, key=ORDER.index)


def test_only_now_and_discard_interrupt_a_batch():
    for mode, interrupts in zip(ORDER, (False, True, True), strict=True):
        token = CancelToken()
        token.request(mode)
        assert token.stops_now is interrupts
    assert CancelToken().mode is None


def test_a_job_that_is_told_to_stop_does_not_pause():
    token = CancelToken()
    token.request(StopMode.AFTER_IMAGE)
    token.pause()
    assert not token.is_paused
    token.wait_while_paused()  # returns at once


@pytest.mark.parametrize("end", [CancelToken.go_on, *(lambda t, m=m: t.request(m) for m in ORDER)])
def test_a_pause_lasts_until_go_on_or_any_stop(end):
    token = CancelToken()
    token.pause()
    waiting = threading.Thread(target=token.wait_while_paused, daemon=True)
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    end(token)
    waiting.join(PATIENCE)
    assert not waiting.is_alive()
    assert not token.is_paused


def test_a_pause_asked_for_right_after_another_ended_is_a_new_one():
    """Otherwise the job never says that it went on, and whoever waits for its word waits for ever."""
    token, asleep = CancelToken(), threading.Event()
    token.pause()
    job = threading.Thread(target=lambda: (asleep.set(), token.wait_while_paused()), daemon=True)
    job.start()
    assert asleep.wait(PATIENCE)

    def has_ended() -> bool:  # the job may not have begun to wait at the first of them
        token.go_on()
        token.pause()
        return not job.is_alive()

    wait_until(has_ended)
    assert token.is_paused
