"""`training.log`: what a run said, beside its results."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.errors import ISICGUIError
from core.events import Event
from core.jobs.stream import JobStopped
from core.utils.logger import IsoFormatter, QuietFileHandler

TRAINING_LOG: Final = "training.log"

_logger = logging.getLogger(__name__)


@contextmanager
def training_log(folder: Path) -> Iterator[None]:
    """Append everything that is logged inside the `with` block to the run's `training.log` as well."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = QuietFileHandler(folder / TRAINING_LOG, encoding="utf-8")
    handler.setFormatter(IsoFormatter())
    root, level = logging.getLogger(), _logger.level
    root.addHandler(handler)
    _logger.setLevel(logging.INFO)  # whatever else is logged: what a run says belongs into its log
    try:
        yield
    finally:
        _logger.setLevel(level)
        root.removeHandler(handler)
        handler.close()


def logged(events: Iterator[Event], but: type[Event]) -> Iterator[Event]:
    """Yield the events of a run and note each, and how it ended; `but` are those of steps, which are too many."""
    try:
        for event in events:
            if not isinstance(event, but):
                _logger.info("%s", json.dumps(event.to_json()))
            yield event
    except ISICGUIError as error:
        _logger.error("%s", error.message)
        raise
    except (JobStopped, GeneratorExit):
        _logger.info("stopped")
        raise
    finally:
        if isinstance(events, Generator):
            events.close()  # before the log is closed
