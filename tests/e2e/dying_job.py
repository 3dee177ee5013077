"""A worker whose jobs die after some events, as if the system had ended the process: once, and then no more."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from core.cancel import CancelToken
from core.events import Event
from core.jobs import registry
from core.jobs.registry import Request

FILE = "DYING_JOB"
"""Environment variable: a file that holds after how many events of the next job the process ends; it is removed."""

_known = registry.job_of


def install() -> None:
    """Import what jobs need, leave out what only takes time, and count the events of every job."""
    from tests.e2e.command_worker import prepare

    prepare()
    registry.job_of = lambda request: dataclasses.replace(_known(request), run=f"{__name__}:carry_out")


def carry_out(request: Request, cancel: CancelToken) -> Iterator[Event]:
    """Carry a job out, as far as it lives."""
    file = Path(os.environ[FILE])
    left = int(file.read_text()) if file.exists() else 0
    file.unlink(missing_ok=True)
    for event in registry.resolve(_known(request).run)(request, cancel):
        yield event
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
