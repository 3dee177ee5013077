"""Files that a person has changed are not overwritten without a word."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

import pytest

from core.keeping import replace_kept, replace_kept_text


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ISICGUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_the_program_wrote_itself_is_replaced(folder: Path) -> None:
    for text in ("one", "two", "two", "three \udcff"):
        assert replace_kept_text(folder / "report.html", text) is None
    assert (folder / "report.html").read_text(encoding="utf-8") == "three \\udcff"
    assert names(folder) == ["report.html"]


def test_what_was_edited_is_set_aside_and_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    replace_kept(folder / "curation.csv", b"kept\n1\n")
    (folder / "curation.csv").write_bytes(b"kept\n0\n")
    with caplog.at_level(logging.WARNING):
        aside = replace_kept(folder / "curation.csv", b"kept\n1\n1\n")
    assert aside is not None
    assert aside.read_bytes() == b"kept\n0\n"
    assert aside.name.startswith("curation.csv.before-")
    assert aside.name in caplog.text
    assert (folder / "curation.csv").read_bytes() == b"kept\n1\n1\n"
    assert replace_kept(folder / "curation.csv", b"x") is None


def test_a_file_that_somebody_else_put_there_is_set_aside(folder: Path) -> None:
    (folder / "README.md").write_bytes(b"mine")
    aside = replace_kept(folder / "README.md", b"ours")
    assert aside is not None
    assert aside.read_bytes() == b"mine"


def test_the_same_content_is_no_change(folder: Path) -> None:
    (folder / "a").write_bytes(b"same")
    before = (folder / "a").stat()
    assert replace_kept(folder / "a", b"same") is None
    assert (folder / "a").stat().st_ino == before.st_ino


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")
def test_a_pipe_or_link_there_is_moved_and_never_written_through(folder: Path, tmp_path: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert replace_kept(folder / "pipe", b"x") is not None
    (tmp_path / "mine").write_bytes(b"mine")
    (folder / "link").symlink_to(tmp_path / "mine")
    assert replace_kept(folder / "link", b"x") is not None
    (folder / "gone").symlink_to(tmp_path / "nowhere")
    assert replace_kept(folder / "gone", b"x") is not None
    assert (tmp_path / "mine").read_bytes() == b"mine"
    assert not (tmp_path / "nowhere").exists()


def test_where_the_disk_is_full_everything_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a").write_bytes(b"mine")

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        replace_kept(folder / "a", b"ours")
    assert names(folder) == ["a"]
    assert (folder / "a").read_bytes() == b"mine"


def test_without_a_cache_whatever_differs_is_set_aside(folder: Path, home: Path) -> None:
    home.mkdir()
    (home / "cache").write_bytes(b"")
    assert replace_kept(folder / "a", b"one") is None
    assert replace_kept(folder / "a", b"two") is not None


def test_a_folder_there_is_left_alone(folder: Path) -> None:
    (folder / "a").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_kept(folder / "a", b"x")
    assert names(folder) == ["a"]
