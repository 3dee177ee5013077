"""What lies in place of a checkpoint: refused in words, whatever it is, and nothing in it is run."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from core.errors import ModelMissingError, ModelRefusedError, ModelTruncatedError, ModelUnsafeError
from training.runtime import CHECKPOINT, load_checkpoint, restore_optimizer, restoring

CPU = torch.device("cpu")


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("made by a pickle",)


ODD = {
    "nothing": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("hello"),
    "a web page": lambda path: path.write_text("<html>quota</html>"),
    "a list": lambda path: torch.save([1, 2], path),
    "a tensor": lambda path: torch.save(torch.ones(3), path),
    "a number": lambda path: torch.save(3, path),
    "an empty archive": lambda path: zipfile.ZipFile(path, "w").close(),
    "a folder": lambda path: path.mkdir(),
    "a pickle of zeros": lambda path: path.write_bytes(bytes(1000)),
    "deep tuples": lambda path: path.write_bytes(b"\x80\x02})" + b"\x85" * 300_000 + b"K\x01s."),
}


@pytest.mark.parametrize("what", ODD)
def test_what_is_no_checkpoint_is_refused_by_name(tmp_path: Path, what: str) -> None:
    ODD[what](tmp_path / CHECKPOINT)
    with pytest.raises(ModelTruncatedError, match=r"last\.pt is damaged, or no checkpoint") as refusal:
        load_checkpoint(tmp_path / CHECKPOINT, CPU)
    assert "new run" in refusal.value.remedy


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / CHECKPOINT)
    with pytest.raises(ModelRefusedError):
        load_checkpoint(tmp_path / CHECKPOINT, CPU)


@pytest.mark.parametrize("write", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content))])
def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path: Path, write, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write({"net": Hostile()}, tmp_path / CHECKPOINT)
    with pytest.raises(ModelUnsafeError):
        load_checkpoint(tmp_path / CHECKPOINT, CPU)
    assert [entry.name for entry in tmp_path.iterdir()] == [CHECKPOINT]


@pytest.mark.parametrize(
    "error", [KeyError("net"), TypeError("no"), RuntimeError("sizes\nand more"), ZeroDivisionError()]
)
def test_what_does_not_fit_is_told_of_the_file(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(ModelTruncatedError, match=r"last\.pt is damaged") as refusal, restoring(tmp_path / CHECKPOINT):
        raise error
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "error", [ModelMissingError("x"), torch.OutOfMemoryError("x"), OSError("x"), KeyboardInterrupt()]
)
def test_what_is_no_fault_of_the_file_goes_through(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), restoring(tmp_path / CHECKPOINT):
        raise error


def trained() -> tuple[torch.optim.Optimizer, dict]:
    net = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.1)
    net(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return torch.optim.AdamW(torch.nn.Linear(3, 2).parameters(), lr=0.1), optimizer.state_dict()


def test_a_state_of_the_same_optimiser_is_taken() -> None:
    optimizer, state = trained()
    restore_optimizer(optimizer, {**state, "param_groups": [{**state["param_groups"][0], "lr": 0.01}]})
    assert optimizer.param_groups[0]["lr"] == 0.01
    assert len(optimizer.state) == 2


@pytest.mark.parametrize(
    ("key", "value"),
    [("lr", float("nan")), ("lr", "x"), ("lr", -1), ("betas", (2, 3)), ("betas", None), ("eps", "x"),
     ("weight_decay", 9), ("params", [0]), ("params", [0, 1, 2]), ("amsgrad", True)],
)  # fmt: skip
def test_a_state_of_another_optimiser_is_refused(key: str, value: object) -> None:
    optimizer, state = trained()
    with pytest.raises((ValueError, TypeError)):
        restore_optimizer(optimizer, {**state, "param_groups": [{**state["param_groups"][0], key: value}]})
