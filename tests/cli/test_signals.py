"""Ctrl-C and SIGTERM ask for a stop."""

from __future__ import annotations

import signal

import pytest

from cli.console import stop_on_signal
from core.cancel import StopMode

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.mark.parametrize("number", BOTH)
def test_a_signal_asks_for_a_stop_and_handlers_are_restored(number: signal.Signals) -> None:
    before = [signal.getsignal(one) for one in BOTH]
    with stop_on_signal() as cancel:
        assert cancel.mode is None
        signal.raise_signal(number)
        assert cancel.mode is StopMode.NOW
    assert [signal.getsignal(one) for one in BOTH] == before


def test_the_first_signal_is_no_second_one_because_another_process_has_passed_its_stop_on() -> None:
    with stop_on_signal() as cancel:
        cancel.request(StopMode.NOW)
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
