"""Reading weights: what is fine is read, what is not has its own error, and nothing in a file is ever run."""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from core.errors import (
    ModelArchitectureError,
    ModelMissingError,
    ModelNotFiniteError,
    ModelRefusedError,
    ModelTooLargeError,
    ModelTruncatedError,
    ModelUnsafeError,
)
from core.models.safe_weights import read_weights, sha256_of


class Hostile:
    """Creates a file when unpickled."""

    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return open, (str(self.witness), "w")


STATE = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(2)}


def assert_same(tensors):
    assert tensors.keys() == STATE.keys()
    assert all(torch.equal(tensors[name], STATE[name]) for name in STATE)


@pytest.mark.parametrize("wrapper", [None, "model_state_dict", "state_dict", "model"])
@pytest.mark.parametrize("zipped", [True, False])
def test_reads_state_dicts_of_torch(tmp_path, wrapper, zipped):
    content = STATE if wrapper is None else {wrapper: STATE, "epoch": 3}
    torch.save(content, tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    assert_same(read_weights(tmp_path / "w.pth"))


def test_reads_safetensors(tmp_path):
    save_file(STATE, tmp_path / "w.safetensors")
    assert_same(read_weights(tmp_path / "w.safetensors"))


@pytest.mark.parametrize("form", ["zip", "legacy", "bare", "wrapped"])
def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path, form):
    witness, path = tmp_path / "witness", tmp_path / "w.pth"
    hostile = Hostile(witness)
    if form == "bare":
        path.write_bytes(pickle.dumps(hostile))
    else:
        content = {"model_state_dict": STATE, "extra": hostile} if form == "wrapped" else {"a": hostile}
        torch.save(content, path, _use_new_zipfile_serialization=form != "legacy")
    with pytest.raises(ModelUnsafeError, match=r"w\.pth asks for code to be run"):
        read_weights(path)
    assert not witness.exists()


def test_the_refusal_names_what_would_have_been_called(tmp_path):
    torch.save({"a": Hostile(tmp_path / "witness")}, tmp_path / "w.pth")
    with pytest.raises(ModelUnsafeError, match="open"):
        read_weights(tmp_path / "w.pth")


@pytest.mark.parametrize("zipped", [True, False])
def test_no_prefix_of_a_file_is_taken_for_the_whole(tmp_path, zipped):
    stream = io.BytesIO()
    torch.save(STATE, stream, _use_new_zipfile_serialization=zipped)
    data = stream.getvalue()
    for length in range(0, len(data) - 1, max(1, len(data) // 120)):
        (tmp_path / "w.pth").write_bytes(data[:length])
        with pytest.raises(ModelTruncatedError, match=r"w\.pth"):
            read_weights(tmp_path / "w.pth")


@pytest.mark.parametrize("data", [b"", b"hello world\n", b"<html>too many downloads</html>", bytes(range(256)) * 20])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_other_files_are_no_weights(tmp_path, data, suffix):
    path = tmp_path / f"w{suffix}"
    path.write_bytes(data)
    with pytest.raises(ModelTruncatedError):
        read_weights(path)


def test_a_truncated_safetensors_file(tmp_path):
    save_file(STATE, tmp_path / "w.safetensors")
    data = (tmp_path / "w.safetensors").read_bytes()
    (tmp_path / "w.safetensors").write_bytes(data[:-1])
    with pytest.raises(ModelTruncatedError):
        read_weights(tmp_path / "w.safetensors")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(tmp_path, bad):
    torch.save({**STATE, "b": torch.tensor([0.0, bad])}, tmp_path / "w.pth")
    with pytest.raises(ModelNotFiniteError, match=r"in 1 of 3 tensors, first in b"):
        read_weights(tmp_path / "w.pth")


def test_files_and_tensors_over_the_limit(tmp_path):
    torch.save({"a": torch.zeros(1000)}, tmp_path / "big.pth")
    with pytest.raises(ModelTooLargeError):
        read_weights(tmp_path / "big.pth", max_bytes=3000)
    torch.save({"a": torch.zeros(1).expand(10**9)}, tmp_path / "spread.pth")  # a few bytes that claim to be 4 GB
    with pytest.raises(ModelTooLargeError):
        read_weights(tmp_path / "spread.pth")


def test_an_archive_that_unpacks_to_more_than_the_limit(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10_000_000))
    with pytest.raises(ModelTooLargeError):
        read_weights(tmp_path / "bomb.pth", max_bytes=1_000_000)


@pytest.mark.parametrize("content", [[1, 2], {}, {"a": 3}, {"model_state_dict": {"a": "text"}}])
def test_things_that_are_no_state_dict(tmp_path, content):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(ModelArchitectureError):
        read_weights(tmp_path / "w.pth")


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.pth", tmp_path):
        with pytest.raises(ModelMissingError):
            read_weights(path)


def test_sha256(tmp_path):
    data = bytes(3_000_001)
    (tmp_path / "f").write_bytes(data)
    assert sha256_of(tmp_path / "f") == hashlib.sha256(data).hexdigest()


def test_a_keras_file_is_told_apart_from_a_damaged_one(tmp_path):
    (tmp_path / "best_model.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(ModelRefusedError, match="as Keras saves them") as refusal:
        read_weights(tmp_path / "best_model.h5")
    assert "models import" in refusal.value.remedy
