"""A progress bar on standard error, fed by the engine's events."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from tqdm import tqdm

from core.events import Event, ImageDone, Loading, Started, Step


class ProgressBar:
    """Shows images done, the step being worked on, and the remaining time; silent where nobody watches."""

    def __init__(self) -> None:
        self._bar: Any = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, event: Event) -> None:
        """Let the bar follow an event."""
        if isinstance(event, Started):
            self._bar = tqdm(total=event.total, unit="image", disable=None, dynamic_ncols=True, file=sys.stderr)
        elif self._bar is not None:
            self._follow(event)

    def _follow(self, event: Event) -> None:
        if isinstance(event, Loading):
            self._bar.set_description_str(f"{event.class_code} loading model")
        elif isinstance(event, Step):
            self._bar.set_description_str(f"{event.class_code} step {event.step}/{event.steps}")
        elif isinstance(event, ImageDone):
            self._bar.update(event.done - self._bar.n)
