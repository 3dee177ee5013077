"""Whatever bytes a file holds, reading it by a schema gives an object of the schema or one typed error."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.files.reading import (
    ClassCode,
    DamagedFileError,
    FileName,
    Schema,
    Time,
    Whole,
    parse_json,
    parse_json_lines,
    read_json,
)


class Entry(Schema):
    """A schema with one field of each kind."""

    code: ClassCode
    name: FileName
    count: Whole
    at: Time = 0.0


GOOD = {"code": "MEL", "name": "ISIC_0000001.png", "count": 3, "at": 1.5}


def _read(data: Any) -> Entry:
    return parse_json(json.dumps(data), Entry, what="an entry")


def test_a_good_one_is_read_and_unknown_keys_are_left_to_newer_versions() -> None:
    assert _read(GOOD | {"later": [1]}) == Entry(**GOOD)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("code", "XXX"), ("code", 3), ("code", None), ("name", "../x"), ("name", "a/b"), ("name", "a\\b"),
        ("name", ""), ("name", ".."), ("name", "a\0b"), ("name", "x" * 256), ("count", -1), ("count", 2.5),
        ("count", "3"), ("count", True), ("count", 2**60), ("count", []), ("at", float("nan")),
        ("at", float("inf")), ("at", 1e300), ("at", -1), ("at", "now"),
    ],
)  # fmt: skip
def test_a_value_of_a_wrong_type_or_range_is_refused_and_named(key: str, value: object) -> None:
    with pytest.raises(DamagedFileError, match=key):
        _read(GOOD | {key: value})


@pytest.mark.parametrize(
    "data",
    [b"[" * 5000, b'{"a":' * 5000, b"", b"\xff\xfe", b"null", b"[]", b'"x"', b"{", b"9" * 5000, b"\xef\xbb\xbf"],
)
def test_what_is_no_object_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "entry.json").write_bytes(data)
    with pytest.raises(DamagedFileError, match=r"entry\.json"):
        read_json(tmp_path / "entry.json", Entry, what="an entry")


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "entry.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())
    assert read_json(tmp_path / "entry.json", Entry, what="an entry").count == 3


def test_a_file_that_is_not_there_is_the_callers_affair(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "entry.json", Entry, what="an entry")


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "entry.json").write_text(json.dumps(GOOD) + " " * 1000)
    with pytest.raises(DamagedFileError, match="at most 1,000 are read"):
        read_json(tmp_path / "entry.json", Entry, what="an entry", limit=1000)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no pipes in folders")
def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "entry.json")
    with pytest.raises(DamagedFileError, match="named pipe"):
        read_json(tmp_path / "entry.json", Entry, what="an entry")


def test_a_damaged_line_is_told_and_the_others_are_read() -> None:
    good = json.dumps(GOOD).encode()
    lines = list(parse_json_lines(b"\n".join([good, b"[" * 5000, b"", b"{}", b"\xff", good]), Entry))
    assert [line.number for line in lines] == [1, 2, 4, 5, 6]
    assert [line.value is None for line in lines] == [False, True, True, True, False]
    assert all(bool(line.problem) == (line.value is None) for line in lines)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
@given(st.dictionaries(st.sampled_from([*GOOD, "other"]), _JSON))
def test_any_object_is_read_or_refused(changes: dict[str, Any]) -> None:
    try:
        entry = _read(GOOD | changes)
    except DamagedFileError:
        return
    assert 0 <= entry.count <= 2**53


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        parse_json(data, Entry, what="an entry")
    except DamagedFileError:
        return
    raise AssertionError("random bytes are no entry")
