"""`training.log`: what a run said, beside its results."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.utils.logger import IsoFormatter, QuietFileHandler

TRAINING_LOG: Final = "training.log"


@contextmanager
def training_log(folder: Path) -> Iterator[None]:
    """Append everything that is logged inside the `with` block to the run's `training.log` as well."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = QuietFileHandler(folder / TRAINING_LOG, encoding="utf-8")
    handler.setFormatter(IsoFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()
