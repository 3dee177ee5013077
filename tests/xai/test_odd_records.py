"""Records of earlier analyses that hold something odd: what is damaged counts as not there, the rest as it stands."""

from __future__ import annotations

import json

import pytest

from xai.sanity import VERSION, read_sanity
from xai.trajectory.folders import is_complete, read_json
from xai.validation import read_rows

ODD = [b"", b"[" * 5000, b"null", b"\xff", b'{"a": 1e999}', b'{"complete": true, "format": NaN}']


@pytest.mark.parametrize("content", ODD)
def test_an_odd_record_is_none(tmp_path, content):
    for name in ("analysis.json", "sanity.json"):
        (tmp_path / name).write_bytes(content)
    assert not is_complete(tmp_path)
    assert isinstance(read_json(tmp_path / "analysis.json"), dict)
    assert read_sanity(tmp_path / "sanity.json", "x") == {}


@pytest.mark.parametrize("odd", [None, {}, {"stages": 5}, {"stages": [{"randomised": "fc", "signed": 1e300}]}])
def test_one_odd_method_costs_no_other(tmp_path, odd):
    good = {"stages": [{"randomised": "fc", "signed": 0.5, "absolute": 1}]}
    record = {"version": VERSION, "sha256": "x", "methods": {"ig": good, "gradcam": odd}}
    (tmp_path / "sanity.json").write_text(json.dumps(record), encoding="utf-8")
    assert list(read_sanity(tmp_path / "sanity.json", "x")) == ["ig"]


def test_an_odd_row_of_a_validation_is_left_out(tmp_path):
    rows = ['{"image": "a", "method": "ig"}', "[" * 5000, "[]", '{"image": 1e999}', '{"image": "b", "method": "ig"}']
    (tmp_path / "rows.jsonl").write_text("\n".join(rows), encoding="utf-8")
    assert [row["image"] for row in read_rows(tmp_path / "rows.jsonl")] == ["a", "b"]
