"""`training.log` holds what a run said, whatever the program logs elsewhere, and how it ended."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import InputRefusedError
from core.events import Event, Notice, Progress
from core.jobs.stream import JobStopped
from core.message import Message
from training.run_folder import TRAINING_LOG, logged, training_log


def said(end: BaseException | None = None) -> Iterator[Event]:
    yield Notice("data", "12 photographs")
    yield Progress.of(1, 2, "images")
    if end is not None:
        raise end


def log_of(folder: Path, end: BaseException | None = None) -> str:
    with training_log(folder):
        list(logged(said(end), Progress))
    return (folder / TRAINING_LOG).read_text(encoding="utf-8")


@pytest.fixture(autouse=True, params=[logging.WARNING, logging.INFO])
def _level_of_the_program(request: pytest.FixtureRequest) -> Iterator[None]:
    root, before = logging.getLogger(), logging.getLogger().level
    root.setLevel(request.param)
    yield
    root.setLevel(before)


def test_what_is_said_is_there_and_steps_are_not(tmp_path: Path):
    text = log_of(tmp_path)
    assert "12 photographs" in text
    assert "progress" not in text
    assert len(text.splitlines()) == 1
    assert len(log_of(tmp_path).splitlines()) == 2, "a run that goes on appends"


@pytest.mark.parametrize(
    ("end", "words"),
    [(InputRefusedError(Message("Not these."), remedy=Message("Others.")), "Not these."), (JobStopped(), "stopped")],
)
def test_the_end_is_there_too(tmp_path: Path, end: BaseException, words: str):
    with pytest.raises(type(end)):
        log_of(tmp_path, end)
    assert words in (tmp_path / TRAINING_LOG).read_text(encoding="utf-8").splitlines()[-1]


def test_a_reader_that_goes_away_ends_the_run_inside_the_log(tmp_path: Path):
    ended = []

    def run() -> Iterator[Event]:
        try:
            yield from said()
        finally:
            ended.append("closed")

    with training_log(tmp_path):
        events = logged(run(), Progress)
        next(events)
        events.close()  # type: ignore[attr-defined]
        assert ended == ["closed"]
    assert "stopped" in (tmp_path / TRAINING_LOG).read_text(encoding="utf-8")


def test_nothing_is_logged_there_afterwards(tmp_path: Path):
    text = log_of(tmp_path)
    logging.getLogger("training.run_folder").warning("later")
    assert (tmp_path / TRAINING_LOG).read_text(encoding="utf-8") == text
