"""A few mutated inputs of every kind, always the same ones (`tests.tools.fuzz` tries many); and the judge, judged."""

from __future__ import annotations

import logging
import signal
import threading
import time

import pytest

from core.errors import InputRefusedError
from tests.fuzz import case
from tests.fuzz.case import Bench, Endless, Kind, limited, random_of
from tests.fuzz.forms import as_json
from tests.fuzz.kinds import KINDS

SEED = 12
CASES = 5
"""Of each kind: the share of CI."""


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISICGUI_HOME", str(tmp_path_factory.mktemp("home")))
        logging.disable(logging.CRITICAL)
        yield
        logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", KINDS)
def test_mutated_inputs_get_an_answer_in_words_and_change_nothing_elsewhere(tmp_path, name):
    bench = Bench(KINDS[name], tmp_path / "bench", clock=False)
    valid = bench.try_files(bench.sample)
    assert (valid.answer, valid.fault) == ("read", ""), valid.trace
    for number in range(CASES):
        outcome = bench.try_files(bench.mutated(random_of(name, SEED, number)))
        assert not outcome.fault, f"python -m tests.tools.fuzz --kind '{name}' --seed {SEED} --one {number}"


def judged(tmp_path, read, **options):
    """Return the fault that is found with a reader."""

    def make(folder):
        (folder / "a.json").write_text('{"a": [1, 2]}')

    bench = Bench(Kind(make, {"a.json": as_json}, read, **options), tmp_path / "bench", 0.5, clock=False)
    return bench.try_files(bench.sample).fault


def test_the_judge_accepts_words_and_finds_everything_else(tmp_path):
    def refuse(remedy):
        def read(folder):
            raise InputRefusedError("It is damaged.", remedy=remedy)

        return read

    assert judged(tmp_path / "1", refuse("Do this.")) == ""
    assert "no remedy" in judged(tmp_path / "2", refuse(""))
    assert "refused" in judged(tmp_path / "3", refuse("Do this."), refuses=False)
    assert "surrogate" in judged(tmp_path / "4", refuse("\ud800"))
    assert "KeyError" in judged(tmp_path / "5", lambda folder: {}["a"])
    outside = judged(tmp_path / "6", lambda folder: (folder.parent / "watched/file.txt").write_text("x"))
    assert "outside: changed: file.txt" in outside


@pytest.mark.skipif(not hasattr(time, "pthread_getcpuclockid"), reason="needs timers of processor time")
def test_the_judge_ends_what_would_not_end(tmp_path):
    def forever(folder):
        while True:
            pass

    assert "Endless" in judged(tmp_path, forever)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")
def test_waiting_ends_and_a_processor_that_others_have_is_no_waiting(monkeypatch):
    with pytest.raises(Endless, match="waiting"), limited(0.01, clock=True):
        threading.Event().wait()
    clock = iter(range(100))
    monkeypatch.setattr(case, "_rested", lambda: next(clock) / 100)  # goes on by 0.01 s each time it is looked at
    with pytest.raises(Endless, match="waiting"), limited(0.01, clock=True):
        threading.Event().wait()
    assert next(clock) > 12


def test_a_limit_leaves_no_timer_behind():
    with limited(0.2, clock=False):
        pass
    until = time.process_time() + 0.3
    while time.process_time() < until:
        pass
