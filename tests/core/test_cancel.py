"""A stop can become more urgent, never less."""

import itertools

import pytest

from core.cancel import CancelToken, StopMode

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
