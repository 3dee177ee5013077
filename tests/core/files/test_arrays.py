"""Archives of arrays: what is wanted comes back as it was written, anything else is refused before it is unpacked."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format as npy

from core.errors import InputRefusedError
from core.files.arrays import Wanted, read_npz
from core.files.reading import DamagedFileError

WANTED = {"rows": Wanted("f", ndim=2), "count": Wanted("iu"), "name": Wanted("U")}
GOOD = {"rows": np.arange(6.0).reshape(2, 3), "count": np.int64(3), "name": np.array("ab")}


def read(path: Path, **values: object) -> dict:
    return read_npz(path, WANTED, what="a table", **values)


def write(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def as_bytes(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    npy.write_array(stream, np.asarray(array))
    return stream.getvalue()


def headed(header: bytes, content: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    return b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header + content


def described(descr: str, shape: str, content: bytes = b"") -> bytes:
    return headed(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}".encode(), content)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("rows", [GOOD["rows"], GOOD["rows"].astype(">f2"), np.asfortranarray(GOOD["rows"]),
                                  np.empty((0, 3), np.float32), np.ones((3, 2))[::-1]])  # fmt: skip
def test_what_numpy_wrote_is_read_as_it_was(tmp_path, save, rows):
    save(tmp_path / "a.npz", other=np.ones(3), **{**GOOD, "rows": rows})
    found = read(tmp_path / "a.npz")
    assert found.keys() == WANTED.keys()
    np.testing.assert_array_equal(found["rows"], rows)
    assert (int(found["count"]), str(found["name"])) == (3, "ab")
    found["rows"][...] = 0  # one may write into it


ODD_ROWS = {
    "a pickle": described("'|O'", "(1, 1)", pickle.dumps(print)),
    "another number of dimensions": as_bytes(np.ones(3)),
    "whole numbers": as_bytes(np.ones((2, 2), int)),
    "complex numbers": as_bytes(np.ones((2, 2), complex)),
    "records": as_bytes(np.zeros((2, 2), [("a", "f4"), ("b", "f4")])),
    "NaN": as_bytes(np.array([[np.nan]])),
    "infinity": as_bytes(np.array([[np.inf]])),
    "a huge shape": described("'<f8'", "(1099511627776, 1099511627776)", bytes(16)),
    "a huge shape and nothing": described("'<f8'", "(1099511627776, 0, 3)"),
    "a negative shape": described("'<f8'", "(-1, -2)", bytes(16)),
    "a shape of text": described("'<f8'", "('2', 1)", bytes(16)),
    "a shape of half numbers": described("'<f8'", "(0.5, 4)", bytes(16)),
    "a huge item": described("'|S1000000000000'", "(1, 1)", bytes(16)),
    "no item": described("'|V0'", "(10, 10)"),
    "an unknown type": described("'<q9'", "(1, 1)", bytes(16)),
    "a description that is nested": headed(b"[" * 9000),
    "a description that is too long": headed(b" " * 60000),
    "no description": headed(b""),
    "another version": headed(b"{}", version=b"\x09\x00"),
    "nothing": b"",
    "too little": as_bytes(np.ones((2, 2)))[:-1],
    "too much": as_bytes(np.ones((2, 2))) + b"x",
    "no array": b"hello world, this is no array at all",
}  # fmt: skip


@pytest.mark.parametrize("what", ODD_ROWS)
def test_an_array_that_is_another_than_wanted_is_refused(tmp_path, what):
    path = write(tmp_path / "a.npz", {**{name: as_bytes(GOOD[name]) for name in GOOD}, "rows": ODD_ROWS[what]})
    with pytest.raises(DamagedFileError, match=r"a\.npz' cannot be read as a table"):
        read(path)


def test_a_missing_array_is_refused_and_a_missing_file_is_not_there(tmp_path):
    np.savez(tmp_path / "a.npz", rows=GOOD["rows"])
    with pytest.raises(DamagedFileError, match="count"):
        read(tmp_path / "a.npz")
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.npz")


def test_a_bomb_is_not_unpacked(tmp_path):
    path = write(tmp_path / "a.npz", {**{name: as_bytes(GOOD[name]) for name in GOOD}, "rows": bytes(10**8)})
    assert path.stat().st_size < 10**6
    with pytest.raises(DamagedFileError, match="unpack"):
        read(path, limit=10**7)


def test_no_prefix_is_taken_for_the_whole(tmp_path):
    np.savez(tmp_path / "a.npz", **GOOD)
    data = (tmp_path / "a.npz").read_bytes()
    for length in range(0, len(data) - 1, 7):
        (tmp_path / "a.npz").write_bytes(data[:length])
        with pytest.raises(DamagedFileError):
            read(tmp_path / "a.npz")


def test_every_changed_byte_gives_the_arrays_or_a_refusal(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", **GOOD)
    data = (tmp_path / "a.npz").read_bytes()
    for place in range(len(data)):
        (tmp_path / "a.npz").write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        try:
            read(tmp_path / "a.npz")
        except InputRefusedError:
            continue


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.npz")
    with pytest.raises(DamagedFileError, match="pipe"):
        read(tmp_path / "a.npz")
