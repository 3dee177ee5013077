"""What a command says: JSON events on standard output, progress and errors for people on standard error.

Ctrl-C asks for a stop: the command stops where nothing finished is lost, and ends with its own exit code.
"""

from __future__ import annotations

import itertools
import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

from core.cancel import CancelToken, StopMode
from core.errors import OutputError
from core.events import Event
from core.files.text import plain, shown
from core.message import Message


class Styled(str):
    """A line with colours of the program's own; what it tells of files has gone through `shown`."""

    __slots__ = ()


class Console:
    """One command's voice.

    Parameters
    ----------
    json_mode
        Print one JSON object a line on standard output, and nothing else there.
    """

    def __init__(self, *, json_mode: bool) -> None:
        self.json_mode = json_mode

    def event(self, event: Event | Mapping[str, Any]) -> None:
        """Print an event, if events were asked for."""
        if self.json_mode:
            data = event.to_json() if isinstance(event, Event) else event
            with _output_errors():
                sys.stdout.write(plain(json.dumps(data, ensure_ascii=False, allow_nan=False)) + "\n")
                sys.stdout.flush()

    def say(self, text: str) -> None:
        """Print a result for people."""
        with _output_errors():
            click.echo(text if isinstance(text, Styled) else shown(text), err=self.json_mode)

    def warn(self, text: str) -> None:
        """Print something people should know, on standard error."""
        click.echo(shown(text), err=True)

    @contextmanager
    def telling_of(self, module: str) -> Iterator[None]:
        """Tell people what a module logs as a warning, as long as the block lasts."""
        logger, teller = logging.getLogger(module), _Teller(lambda text: self.warn(f"Note: {text}"))
        logger.addHandler(teller)
        try:
            yield
        finally:
            logger.removeHandler(teller)

    def error(self, kind: str, message: str, remedy: str) -> None:
        """Say what happened and what to do about it."""
        self.event({"event": "error", "kind": kind, "message": message, "remedy": remedy})
        click.echo(click.style("Error: ", fg="red", bold=True) + shown(message), err=True)
        if remedy:
            click.echo(shown(remedy), err=True)


class _Teller(logging.Handler):
    """Passes on the warnings of one module."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Say what was logged."""
        self._tell(record.getMessage())


@contextmanager
def _output_errors() -> Iterator[None]:
    """Say in words that standard output cannot be written; that nobody reads it any more is no error of anybody's."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(
            Message("The results cannot be written to standard output: {why}.", why=error.strerror or error),
            remedy=Message("Free some space, or send them elsewhere."),
        ) from error


EXIT_INTERRUPTED = 130


@contextmanager
def stop_on_signal() -> Iterator[CancelToken]:
    """Turn the first Ctrl-C (or SIGTERM) into a cooperative stop; a second one interrupts at once.

    The first is the first that arrives here: of several processes that train together, one may have passed its stop on
    before the others get theirs.
    """
    cancel = CancelToken()
    arrived = itertools.count()

    def stop(signum: int, frame: FrameType | None) -> None:
        if next(arrived):
            raise KeyboardInterrupt
        cancel.request(StopMode.NOW)

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
