"""Schedules, sampling weights, symmetries and checkpoints of the training loops."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import DiskFullError, ModelMissingError, ModelNotFiniteError, ModelTruncatedError, OutputError
from training.runtime import (
    CHECKPOINT,
    Budget,
    class_weights,
    cosine_rate,
    dihedral,
    finite,
    load_checkpoint,
    save_checkpoint,
)


def test_rate_warms_up_peaks_and_ends_at_its_floor():
    assert cosine_rate(0.0, 1.0, 0.1) == pytest.approx(0.01)
    assert cosine_rate(0.05, 1.0, 0.1) == pytest.approx(0.5)
    assert cosine_rate(0.1, 1.0, 0.1) == pytest.approx(1.0)
    assert cosine_rate(0.55, 1.0, 0.1, floor=0.0) == pytest.approx(0.5)
    assert cosine_rate(1.0, 4e-4, floor=0.02) == pytest.approx(8e-6)
    rates = [cosine_rate(p / 100, 1.0) for p in range(2, 101)]
    assert rates == sorted(rates, reverse=True)


def test_budget_takes_whatever_is_nearer_its_end():
    assert Budget(100).progress(25) == 0.25
    assert Budget(100, minutes=10, spent=480).progress(25) == pytest.approx(0.8, abs=1e-3)
    assert Budget(100, minutes=1, spent=600).progress(0) == 1.0


@pytest.mark.parametrize(("power", "ratio"), [(0.0, 1.0), (0.5, 2.0), (1.0, 4.0)])
def test_classes_are_drawn_by_a_power_of_their_count(power: float, ratio: float):
    labels = torch.tensor([0] * 40 + [1] * 10)
    weights = class_weights(labels, 7, power)
    assert (weights[:40].sum() / weights[40:].sum()).item() == pytest.approx(ratio)


def test_dihedral_gives_the_eight_symmetries_and_nothing_else():
    image = torch.arange(9).reshape(1, 1, 3, 3)
    array = image[0, 0].numpy()
    expected = {np.rot90(a, k).tobytes() for a in (array, array[:, ::-1]) for k in range(4)}
    views = dihedral(image.repeat(200, 1, 1, 1), torch.Generator().manual_seed(0))
    assert {np.ascontiguousarray(view[0].numpy()).tobytes() for view in views} == expected


def test_checkpoint_round_trip_leaves_no_temporary_file(tmp_path: Path):
    save_checkpoint(tmp_path / "run" / "last.pt", {"a": torch.arange(3), "b": [1.5], "n": 2})
    state = load_checkpoint(tmp_path / "run" / "last.pt", torch.device("cpu"))
    assert state["a"].tolist() == [0, 1, 2]
    assert state["b"] == [1.5]
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["last.pt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_drive_is_named_and_keeps_the_previous_checkpoint_and_nothing_half_written(tmp_path: Path):
    path = tmp_path / "last.pt"
    save_checkpoint(path, {"n": 1})
    (tmp_path / ".last.pt.tmp").symlink_to("/dev/full")  # where the new checkpoint is written first
    with pytest.raises(DiskFullError, match=r"last\.pt"):
        save_checkpoint(path, {"n": torch.zeros(100_000)})
    assert [entry.name for entry in tmp_path.iterdir()] == ["last.pt"]
    assert load_checkpoint(path, torch.device("cpu")) == {"n": 1}


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        save_checkpoint(tmp_path / "file" / "run" / "last.pt", {})


def test_a_missing_checkpoint_says_so(tmp_path: Path):
    with pytest.raises(ModelMissingError, match="without --resume"):
        load_checkpoint(tmp_path / CHECKPOINT, torch.device("cpu"))


@pytest.mark.parametrize("kept", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"a letter"])
def test_a_damaged_checkpoint_is_refused_in_words(tmp_path: Path, kept: Callable[[bytes], bytes]):
    path = tmp_path / CHECKPOINT
    save_checkpoint(path, {"a": torch.zeros(1000)})
    path.write_bytes(kept(path.read_bytes()))
    with pytest.raises(ModelTruncatedError, match="damaged"):
        load_checkpoint(path, torch.device("cpu"))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_the_run(value: float):
    assert finite(torch.tensor(0.5), 1) == 0.5
    with pytest.raises(ModelNotFiniteError, match="after 640 images"):
        finite(torch.tensor(value), 640)
