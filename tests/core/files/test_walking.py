"""Looking through folders: only regular files come out, and no folder is looked into twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.files.walking import walk

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")


def pngs(name: str) -> bool:
    return name.endswith(".png")


def test_files_come_by_folder_and_name(tmp_path: Path) -> None:
    for name in ("b/2.png", "a/1.png", "0.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = walk(tmp_path, pngs, lambda name: name != "b")
    assert [file.name for file in found.files] == ["0.png", "1.png"]
    assert found.notes == ()


def test_a_link_back_to_the_folder_is_followed_once(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "latest").symlink_to(".")
    assert len(walk(tmp_path, pngs).files) == 1


@posix
def test_what_is_no_regular_file_is_named_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "gone.png").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "good.png").write_bytes(b"")
    found = walk(tmp_path, pngs)
    assert [file.name for file in found.files] == ["good.png"]
    assert {each.path.name: each.kind for each in found.passed_over} == {
        "pipe.png": "a named pipe",
        "zero.png": "a device",
        "gone.png": "a link that leads nowhere",
    }
    assert "pipe.png: a named pipe" in found.notes[0]


def test_a_folder_named_like_a_picture_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "x.png").mkdir()
    (tmp_path / "x.png" / "y.png").write_bytes(b"")
    assert [file.name for file in walk(tmp_path, pngs).files] == ["y.png"]


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.png").write_bytes(b"")
    scandir = os.scandir

    def refuse(place: Path) -> object:
        if Path(place).name == "closed":
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    found = walk(tmp_path, pngs)
    assert [file.name for file in found.files] == ["a.png"]
    assert found.passed_over[0].kind == "a folder that cannot be read"
