"""How long a test waits for what must happen: so long that only a fault, never a slow machine, ends the wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from pytestqt.qtbot import QtBot

PATIENCE: Final = 120.0
"""Seconds. A test that passes never waits them out; what is to be kept waiting is held by a gate, not by a number."""

PATIENCE_MS: Final = int(1000 * PATIENCE)

_GLANCE: Final = 0.02


class PatientBot(QtBot):
    """A bot whose waits all have the same generous deadline; no test gives one of its own."""

    def waitUntil(self, callback: Callable[[], Any], *, timeout: int = PATIENCE_MS) -> None:
        """Turn the event loop until `callback` holds."""
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: Any, *, timeout: int = PATIENCE_MS, **options: Any) -> Any:
        """Turn the event loop until the signal comes."""
        return super().waitSignal(signal, timeout=timeout, **options)

    def waitSignals(self, signals: Any = None, *, timeout: int = PATIENCE_MS, **options: Any) -> Any:
        """Turn the event loop until all the signals have come."""
        return super().waitSignals(signals, timeout=timeout, **options)

    def waitActive(self, widget: Any, *, timeout: int = PATIENCE_MS) -> Any:
        """Turn the event loop until the widget is the active window."""
        return super().waitActive(widget, timeout=timeout)

    def settle(self, turns: int = 10) -> None:
        """Let the event loop do what is due: the layouts, zero timers and deliveries that are already queued."""
        for _ in range(turns):
            self.wait(1)


def wait_until(condition: Callable[[], Any]) -> None:
    """Wait for another thread or process, without an event loop; fail if `condition` never holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "what the test waits for has not happened"
        time.sleep(_GLANCE)
