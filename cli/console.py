"""What a command says: JSON events on standard output, progress and errors for people on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import click

from core.events import Event
from core.wire import for_a_window, with_templates


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
            data = with_templates(data) if for_a_window() else data
            sys.stdout.write(json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n")
            sys.stdout.flush()

    def say(self, text: str) -> None:
        """Print a result for people."""
        click.echo(text, err=self.json_mode)

    def warn(self, text: str) -> None:
        """Print something people should know, on standard error."""
        click.echo(text, err=True)

    def error(self, kind: str, message: str, remedy: str) -> None:
        """Say what happened and what to do about it."""
        self.event({"event": "error", "kind": kind, "message": message, "remedy": remedy})
        click.echo(click.style("Error: ", fg="red", bold=True) + message, err=True)
        if remedy:
            click.echo(remedy, err=True)
