"""A run's log: files that never tear, curves that join up after a resume, trackers only when they are asked for."""

from __future__ import annotations

import csv
import importlib.machinery
import json
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from core.errors import UsageError
from training.trackers import LOG_FILE, TABLE_FILE, WANDB_ID_FILE, _wandb_id, open_run_log, read_log


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / TABLE_FILE).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_rows_are_in_both_files_and_missing_values_are_empty(tmp_path: Path):
    with open_run_log(tmp_path, "none", columns=("loss", "kid")) as log:
        log.log(16, loss=0.5)
        log.log(32, loss=0.25, kid=float("nan"))
    assert read_log(tmp_path / LOG_FILE) == [{"images": 16, "loss": 0.5}, {"images": 32, "loss": 0.25, "kid": None}]
    assert table(tmp_path) == [
        {"images": "16", "loss": "0.5", "kid": ""},
        {"images": "32", "loss": "0.25", "kid": ""},
    ]
    assert "NaN" not in (tmp_path / LOG_FILE).read_text(encoding="utf-8")


def test_a_misspelt_column_is_an_error_and_leaves_no_row(tmp_path: Path):
    with open_run_log(tmp_path, "none", columns=("loss",)) as log:
        with pytest.raises(ValueError, match="los"):
            log.log(1, los=1.0)
        log.log(2, loss=1.0)
    assert [row["images"] for row in read_log(tmp_path / LOG_FILE)] == [2]


def test_resumed_log_equals_an_uninterrupted_one(tmp_path: Path):
    def write(log, epochs):
        for epoch in epochs:
            log.log(epoch, loss=1 / epoch)

    with open_run_log(tmp_path / "whole", "none", columns=("loss",), step_name="epoch") as log:
        write(log, (1, 2, 3, 4))
    with open_run_log(tmp_path / "parts", "none", columns=("loss",), step_name="epoch") as log:
        write(log, (1, 2, 3))
    with (tmp_path / "parts" / LOG_FILE).open("a", encoding="utf-8") as stream:
        stream.write('{"epoch": 4, "lo')  # killed while writing
    with open_run_log(tmp_path / "parts", "none", columns=("loss",), step_name="epoch", resume_at=2) as log:
        write(log, (3, 4))
    for name in (LOG_FILE, TABLE_FILE):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_tensorboard_holds_the_numbers_once_after_a_resume(tmp_path: Path):
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with open_run_log(tmp_path, columns=("loss", "note")) as log:
        log.log(10, loss=3.0, note="a word")
        log.log(20, loss=2.0)
        log.image(20, "samples", np.zeros((4, 6, 3), np.uint8))
    with open_run_log(tmp_path, columns=("loss", "note"), resume_at=10) as log:
        log.log(20, loss=1.5)
    events = event_accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss")] == [(10, 3.0), (20, 1.5)]
    assert "note" not in events.Tags()["scalars"]


def test_wandb_that_is_missing_is_refused_with_the_command_to_install_it(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("training.trackers.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install wandb"):
        open_run_log(tmp_path, "wandb", columns=("loss",))


class FakeRun:
    def log(self, values, step): ...

    def finish(self): ...


def test_wandb_knows_a_resumed_run_and_takes_no_other_for_it(tmp_path: Path, monkeypatch):
    begun: list[dict[str, object]] = []
    module = types.ModuleType("wandb")
    monkeypatch.setattr(module, "init", lambda **what: begun.append(what) or FakeRun(), raising=False)
    module.__spec__ = importlib.machinery.ModuleSpec("wandb", None)
    monkeypatch.setitem(sys.modules, "wandb", module)
    for run, resume_at in (("a", None), ("b", None), ("a", 1)):
        with open_run_log(tmp_path / run / "fold_0", "wandb", columns=("loss",), resume_at=resume_at) as log:
            log.log(1, loss=1.0)
    ids = [what["id"] for what in begun]
    assert ids[0] == ids[2] != ids[1]
    assert [what["name"] for what in begun] == ["a/fold_0", "b/fold_0", "a/fold_0"]


@pytest.mark.parametrize("odd", ["", "../x", "a b", "x" * 1000, "\ufeffabc", "é"])
def test_an_odd_note_of_the_runs_id_is_replaced(tmp_path: Path, odd: str):
    (tmp_path / WANDB_ID_FILE).write_text(odd, encoding="utf-8")
    told = _wandb_id(tmp_path)
    assert re.fullmatch("[0-9a-f]{16}", told)
    assert _wandb_id(tmp_path) == told


def test_a_pipe_in_place_of_that_note_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / WANDB_ID_FILE)
    assert re.fullmatch("[0-9a-f]{16}", _wandb_id(tmp_path))


def test_tensorboard_that_is_missing_is_left_out_with_a_warning(tmp_path: Path, monkeypatch, caplog):
    monkeypatch.setattr("training.trackers.find_spec", lambda name: None)
    with open_run_log(tmp_path, columns=("loss",)) as log:
        log.log(1, loss=1.0)
    assert "TensorBoard is not installed" in caplog.text
    assert not (tmp_path / "tensorboard").exists()
    assert json.loads((tmp_path / LOG_FILE).read_text(encoding="utf-8")) == {"images": 1, "loss": 1.0}


def test_neither_tracker_is_needed_to_import():
    script = "import sys; sys.modules['tensorboard'] = sys.modules['wandb'] = None; import training.trackers"
    subprocess.run([sys.executable, "-c", script], check=True)
