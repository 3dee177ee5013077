"""The one way to the disk."""

from __future__ import annotations

import pytest

import reports


def test_a_report_replaces_the_one_before_it(tmp_path):
    reports.write(tmp_path / "report.html", "vor – nach")
    reports.write(tmp_path / "report.html", "später")
    reports.write(tmp_path / "report.pdf", b"%PDF")
    assert (tmp_path / "report.html").read_bytes() == "später".encode()
    assert {path.name for path in tmp_path.glob("report*")} == {"report.html", "report.pdf"}


def test_what_a_person_has_written_there_is_kept(tmp_path):
    reports.write(tmp_path / "README.md", "card")
    (tmp_path / "README.md").write_text("my own words")
    reports.write(tmp_path / "README.md", "new card")
    assert (tmp_path / "README.md").read_text() == "new card"
    assert "my own words" in [path.read_text() for path in tmp_path.glob("README*")]


def test_a_name_that_is_no_utf_8_can_be_written(tmp_path):
    reports.write(tmp_path / "report.html", "a\udcff")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "a\\udcff"


def test_what_cannot_be_written_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="report"):
        reports.write(tmp_path / "gone" / "report.html", "x")
