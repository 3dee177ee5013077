"""Weights files as nobody should write them: every one is refused by name, at once, and without taking memory."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

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
)
from core.models.pickle_limits import MAX_DEPTH, MAX_OPCODES
from core.models.safe_weights import read_weights

GOOD = torch.ones(4)

ODD_TENSORS = {
    "sparse": lambda: torch.eye(3).to_sparse(),
    "compressed rows": lambda: torch.eye(3).to_sparse_csr(),
    "compressed columns": lambda: torch.eye(3).to_sparse_csc(),
    "quantised": lambda: torch.quantize_per_tensor(GOOD, 0.1, 0, torch.qint8),
    "quantised by channel": lambda: torch.quantize_per_channel(
        torch.ones(2, 2), torch.ones(2), torch.zeros(2), 0, torch.quint8
    ),
    "meta": lambda: torch.empty(3, device="meta"),
    "complex": lambda: GOOD.to(torch.complex64),
    "int8": lambda: GOOD.to(torch.int8),
    "int64": lambda: GOOD.long(),
    "bool": lambda: GOOD.bool(),
    "float8": lambda: GOOD.to(torch.float8_e4m3fn),
    "float8 with zero": lambda: GOOD.to(torch.float8_e5m2fnuz),
    "bits": lambda: torch.ones(4, dtype=torch.uint8).view(torch.bits8),
    "stretched": lambda: torch.zeros(1).expand(10**8),
    "overlapping": lambda: torch.zeros(100).as_strided((90, 10), (1, 1)),
    "many dimensions": lambda: torch.ones((1,) * 20),
}


def refused(path: Path, kind: type[ModelRefusedError] = ModelArchitectureError) -> str:
    with pytest.raises(kind) as refusal:
        read_weights(path)
    assert path.name in str(refusal.value)
    assert refusal.value.remedy
    return str(refusal.value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ODD_TENSORS)
def test_a_tensor_that_is_no_ordinary_one_is_named(tmp_path, name):
    torch.save({"good": GOOD, "conv.weight": ODD_TENSORS[name]()}, tmp_path / "w.pth")
    assert "conv.weight" in refused(tmp_path / "w.pth")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["sparse", "meta", "stretched"])
def test_a_tensor_that_claims_to_be_huge(tmp_path, kind):
    indices, one = torch.zeros(2, 1, dtype=torch.int64), torch.ones(1)
    huge = {
        "sparse": torch.sparse_coo_tensor(indices, one, (10**9, 10**9)),
        "meta": torch.empty(10**9, 10**6, device="meta"),
        "stretched": one.expand(10**6, 10**6),
    }
    torch.save({"a": huge[kind]}, tmp_path / "w.pth")
    refused(tmp_path / "w.pth", ModelTooLargeError)


def test_what_ordinary_networks_hold_is_read(tmp_path):
    state = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).state_dict()
    odd = {"tied": state["0.weight"], "half": GOOD.half(), "transposed": torch.ones(2, 3).T, "none": torch.ones(0, 3)}
    torch.save({**state, **odd}, tmp_path / "w.pth")
    read = read_weights(tmp_path / "w.pth")
    assert all(torch.equal(read[key], value) for key, value in {**state, **odd}.items())
    save_file({key: value.contiguous().clone() for key, value in {**state, **odd}.items()}, tmp_path / "w.safetensors")
    assert read_weights(tmp_path / "w.safetensors").keys() == read.keys()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_one_number_that_is_none_is_found_among_many(tmp_path, dtype, bad):
    tensor = torch.zeros(10_001, dtype=dtype)
    tensor[7_777] = bad
    torch.save({"good": GOOD, "a": tensor}, tmp_path / "w.pth")
    assert "first in a" in refused(tmp_path / "w.pth", ModelNotFiniteError)


@pytest.mark.parametrize("key", [("a", "b"), 3, 10**300, None], ids=type)
def test_names_that_are_no_text(tmp_path, key):
    torch.save({key: GOOD}, tmp_path / "w.pth")
    refused(tmp_path / "w.pth")


def test_long_and_unprintable_names_are_told_short_and_printable(tmp_path):
    torch.save({"a\ud800\n\x1b[31m" + "b" * 10**6: GOOD.bool()}, tmp_path / "w.pth")
    told = refused(tmp_path / "w.pth")
    assert told.isprintable()
    assert len(told) < 500


def _archive(path: Path, pickled: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", pickled)
        archive.writestr("x/version", "3\n")
        archive.writestr("x/byteorder", "little")
        archive.writestr("x/data/0", bytes(16))
    return path


def _old_file(path: Path, pickled: bytes) -> Path:
    path.write_bytes(pickled)
    return path


READ = """
import sys
from pathlib import Path
from core.errors import ModelRefusedError
from core.models.safe_weights import read_weights
for name in sys.argv[1:]:
    try:
        read_weights(Path(name))
    except ModelRefusedError as error:
        print(error.kind, flush=True)
"""

_DEEP = 300_000
ABSURD_PICKLES = {
    "a tuple as name": b"\x80\x02})" + b"\x85" * _DEEP + b"K\x01s.",
    "pairs as name": b"\x80\x02})" + b"q\x00h\x00\x86" * _DEEP + b"K\x01s.",
    "tuples by marks": b"\x80\x02}(" + b"(" * _DEEP + b"t" * _DEEP + b"K\x01u.",
    "a tuple as value": b"\x80\x02}X\x01\0\0\0a)" + b"\x85" * _DEEP + b"s.",
    "endless": b"\x80\x02}" + b"K\x010" * MAX_OPCODES + b".",
}


def test_pickles_that_would_end_or_hold_up_the_process(tmp_path):
    files = [_archive(tmp_path / f"zip{i}.pth", pickled) for i, pickled in enumerate(ABSURD_PICKLES.values())]
    files += [_old_file(tmp_path / f"old{i}.pth", pickled) for i, pickled in enumerate(ABSURD_PICKLES.values())]
    done = subprocess.run([sys.executable, "-c", READ, *files], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["model_truncated"] * len(files), done.stderr[-500:]
    assert done.returncode == 0  # not ended by a signal


def test_the_limit_of_depth_leaves_ordinary_ones_alone(tmp_path):
    nested: object = GOOD
    for _ in range(MAX_DEPTH // 4):
        nested = (nested,)
    torch.save({"model_state_dict": {"a": GOOD}, "other": nested}, tmp_path / "w.pth")
    assert read_weights(tmp_path / "w.pth").keys() == {"a"}


def test_a_description_that_is_larger_than_any(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", bytes(100 * 1024**2))
    refused(tmp_path / "w.pth", ModelTruncatedError)


def safetensors(path: Path, header: object, data: bytes = b"", length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def entry(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


ABSURD_HEADERS = {
    "longer than any file": (b"{}", b"", 2**63),
    "longer than this file": (b"{}", b"", 1000),
    "not JSON": (b"{" * 40, b"", None),
    "nested": (b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", b"", None),
    "a list": ([1], b"", None),
    "a number for a tensor": ({"a": 1}, b"", None),
    "metadata that is no text": ({"__metadata__": {"a": 5}, "a": entry()}, bytes(8), None),
    "overlapping": ({"a": entry(), "b": entry(offsets=(4, 12))}, bytes(12), None),
    "a hole": ({"a": entry(), "b": entry(offsets=(16, 24))}, bytes(24), None),
    "twice the same name, no tensor": (b'{"a":{"dtype":"F32"},"a":{"dtype":"F32"}}', b"", None),
    "a huge shape": ({"a": entry(shape=(2**40, 2**40))}, bytes(8), None),
    "a negative shape": ({"a": entry(shape=(-2,))}, bytes(8), None),
    "a broken shape": ({"a": entry(shape=(2.5,))}, bytes(8), None),
    "no shape": ({"a": entry(shape=None)}, bytes(8), None),
    "more dimensions than a tensor has": ({"a": entry(shape=(1,) * 100_000, offsets=(0, 4))}, bytes(4), None),
    "offsets that are no numbers": ({"a": entry(offsets=("0", "8"))}, bytes(8), None),
    "offsets beyond the end": ({"a": entry(offsets=(0, 2**62))}, bytes(8), None),
    "a name that is no UTF-8": (b'{"\xff":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8), None),
}


@pytest.mark.parametrize("name", ABSURD_HEADERS)
def test_headers_that_describe_no_tensors(tmp_path, name):
    header, data, length = ABSURD_HEADERS[name]
    refused(safetensors(tmp_path / "w.safetensors", header, data, length), ModelTruncatedError)


BITS = {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E8M0": 8, "F8_E4M3": 8, "F8_E5M2": 8, "C64": 64, "BOOL": 8, "I8": 8,
        "U8": 8, "I16": 16, "U16": 16, "I32": 32, "U32": 32, "I64": 64, "U64": 64, "F1": 1, "": 8}  # fmt: skip


@pytest.mark.parametrize("dtype", BITS)
def test_number_formats_that_no_network_here_computes_with(tmp_path, dtype):
    size = BITS[dtype]  # bytes of eight numbers
    header = {"conv.weight": entry(dtype, (8,), (0, size))}
    assert "conv.weight" in refused(safetensors(tmp_path / "w.safetensors", header, bytes(size)))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_a_pipe_is_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    refused(tmp_path / name, ModelMissingError)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs devices")
def test_a_device_is_not_read(tmp_path):
    (tmp_path / "w.pth").symlink_to("/dev/zero")
    refused(tmp_path / "w.pth", ModelMissingError)
