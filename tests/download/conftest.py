"""What the downloads' tests share: archives, a target, a ledger of their own, and no pauses between attempts."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest

from core.cancel import CancelToken
from core.taxonomy import CLASS_CODES
from download.job import fetch
from download.partial import Patience
from download.records import Ledger
from download.request import Finished
from download.source import WebSource
from tests.support.patience import PATIENCE

QUICK = Patience(connect=PATIENCE, silence=PATIENCE, pauses=(0.0, 0.01, 0.01), standstill=PATIENCE)
"""Does not pause between attempts; silence and standstill are given up by the tests that are about them."""

STATISTICS = json.dumps({code: {"rgb": {"mean": [180, 140, 130], "std": [30, 30, 30]}} for code in CLASS_CODES})
PADDING = os.urandom(3_000_000)
"""Makes an archive large enough to be cut, without weights that take seconds to be read."""


def pack(files: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def small() -> bytes:
    """An archive of 3 MB with one file that is taken."""
    return pack({"checkpoints/color_statistics.json": STATISTICS, "checkpoints/notes.bin": PADDING})


class Marker:
    """Unpickled, it runs a command."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"echo ran > '{self.marker}'",)


def hostile_pickle(marker: Path) -> bytes:
    return pickle.dumps(Marker(marker), protocol=2)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "user" / "downloads.json")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def bring_it(target: Path, ledger: Ledger):
    """Run a whole job and return its events."""

    def run(source, *, cancel: CancelToken | None = None, patience: Patience = QUICK, target: Path = target):
        source = WebSource(source) if isinstance(source, str) else source
        return list(fetch(source, target, cancel or CancelToken(), patience=patience, ledger=ledger))

    return run


def end(events) -> Finished:
    """Return the last event, which says how it ended."""
    assert isinstance(events[-1], Finished)
    assert sum(isinstance(event, Finished) for event in events) == 1
    return events[-1]


def leftovers(target: Path) -> list[str]:
    """Return what lies in the hidden folder, but for the lock."""
    hidden = target / ".download"
    return sorted(str(path.relative_to(hidden)) for path in hidden.rglob("*") if path.name != "lock")
