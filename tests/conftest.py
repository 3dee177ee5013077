"""Loaded before any test imports torch or Qt: threads, windows off screen, patient waits, and who runs which tests."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"
if "PYTEST_XDIST_WORKER" in os.environ:  # as many of us as there are cores: more threads would only wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

import core  # noqa: F401  # sets how torch's threads wait
from core.files.text import plain
from tests.support.patience import PatientBot
from tests.support.scheduling import WINDOW, FilesByWeight

pytest_plugins = ("pytester",)


@pytest.fixture(autouse=True, scope="session")
def _home_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep every test out of the folders of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISICGUI_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[Any]:
    """Write out bytes of names that are no UTF-8: the processes of pytest-xdist cannot tell each other such text."""
    report = yield
    report.sections = [(plain(name), plain(text)) for name, text in report.sections]
    if report.longrepr is not None and plain(text := str(report.longrepr)) != text:
        report.longrepr = plain(text)
    return report


@pytest.fixture
def qtbot(qapp: object, request: pytest.FixtureRequest) -> PatientBot:
    """In place of pytest-qt's: its waits end after five seconds, which a busy machine may need."""
    return PatientBot(request)


@pytest.fixture
def clock_of_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let training's clock go on by 50 ms whenever it is looked at, however fast the machine is."""
    clock = SimpleNamespace(monotonic=partial(next, itertools.count(0, 0.05)))
    monkeypatch.setattr("training.runtime.time", clock)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what opens a window."""
    for item in items:
        if item.nodeid.startswith(WINDOW):
            item.add_marker(pytest.mark.window)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a worker whole files, so that what the tests of a file share is made once."""
    return FilesByWeight(config, log)
