"""An export that waits at every file until there is another file, in the process of the worker."""

from __future__ import annotations

import os
import time
from pathlib import Path

import dataset.export.writing as writing
from core.jobs.client import JobClient
from tests.support.patience import PATIENCE

GATE = "SLOW_EXPORT"
"""Environment variable that names the file which is waited for."""


def slow_client() -> JobClient:
    """Return a client whose exports wait."""
    return JobClient(prepare=install)


def install() -> None:
    """Let every file wait."""
    real, gate = writing.write_new_file, Path(os.environ[GATE])

    def slow(path: Path, data: bytes) -> None:
        end = time.monotonic() + PATIENCE
        while not gate.exists() and time.monotonic() < end:
            time.sleep(0.01)
        real(path, data)

    writing.write_new_file = slow
