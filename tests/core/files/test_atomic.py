"""Files that appear complete or not at all."""

import errno
import os
import subprocess
import sys
from contextlib import suppress

import pytest

from core.files.atomic import create_bytes_atomic, fsync_dir, write_all, write_bytes_atomic, write_text_atomic
from core.files.own import AppendFile
from tests.support.broken_os import BrokenOS, Killed


def test_write_replaces_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "name.txt"
    write_text_atomic(target, "eins")
    write_text_atomic(target, "zwei é 汉")
    assert target.read_text(encoding="utf-8") == "zwei é 汉"
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_dead_writer_left_of_the_same_file_is_removed_and_nothing_else(tmp_path):
    process = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    dead, target = int(process.stdout), tmp_path / "name.txt"
    kept = {"name.txt.0a1b2c3d.tmp", f"other.txt.{dead}.0a1b2c3d.tmp", f"name.txt.{os.getpid()}.0a1b2c3d.tmp"}
    for name in (*kept, f"name.txt.{dead}.0a1b2c3d.tmp"):
        (tmp_path / name).write_text("half")
    write_text_atomic(target, "whole")
    assert {path.name for path in tmp_path.iterdir()} == {*kept, "name.txt"}


def test_create_refuses_what_exists(tmp_path):
    target = tmp_path / "picture.png"
    create_bytes_atomic(target, b"first")
    with pytest.raises(FileExistsError):
        create_bytes_atomic(target, b"second")
    assert target.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [target]


def test_create_refuses_a_dangling_link(tmp_path):
    target = tmp_path / "picture.png"
    target.symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        create_bytes_atomic(target, b"x")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP])
def test_create_without_hard_links_still_refuses_what_exists(tmp_path, monkeypatch, code):
    def no_links(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", no_links)
    target = tmp_path / "picture.png"
    create_bytes_atomic(target, b"first")
    with pytest.raises(FileExistsError):
        create_bytes_atomic(target, b"second")
    assert target.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [target]


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_bytes_atomic(tmp_path / "x", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


def test_temporary_files_go_where_they_are_told(tmp_path, monkeypatch):
    opened = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *a, **k: opened.append(str(path)) or real(path, *a, **k))
    (tmp_path / "tmp").mkdir()
    write_bytes_atomic(tmp_path / "x", b"data", tmp_dir=tmp_path / "tmp")
    assert os.path.dirname(opened[0]) == str(tmp_path / "tmp")


def test_order_is_data_then_its_fsync_then_the_name_then_the_folder(tmp_path, monkeypatch):
    steps = []

    def note(name):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, **k: steps.append(name) or real(*a, **k))

    for name in ("write", "fsync", "replace"):
        note(name)
    write_bytes_atomic(tmp_path / "x", b"data")
    assert steps == ["write", "fsync", "replace", "fsync"]


def test_short_writes_are_continued(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:3]))
    write_bytes_atomic(tmp_path / "x", b"0123456789")
    assert (tmp_path / "x").read_bytes() == b"0123456789"


def test_old_content_survives_a_death_at_any_operation(tmp_path, monkeypatch):
    target = tmp_path / "x"
    at, fired, seen = 0, True, set()
    while fired:
        at += 1
        target.write_bytes(b"old")
        system = BrokenOS(at, Killed, lasting=True, torn=True)
        with system.installed(monkeypatch), suppress(Killed):
            write_bytes_atomic(target, b"new content")
        fired = system.fired
        seen.add(target.read_bytes())
    assert seen == {b"old", b"new content"}


def test_fsync_dir_of_a_folder_that_is_gone(tmp_path):
    with pytest.raises(FileNotFoundError):
        fsync_dir(tmp_path / "gone")


@pytest.fixture
def grown(tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(b"one\n")
    return AppendFile(path, 4)


def test_append_grows_by_whole_pieces(grown):
    grown.append(b"two\n")
    assert grown.path.read_bytes() == b"one\ntwo\n"
    assert grown.size == 8


def test_a_failed_append_takes_its_half_line_back_at_once(grown, monkeypatch):
    """So that a reader finds no torn line while the program waits for space."""
    system = BrokenOS(2, lambda: OSError(errno.ENOSPC, "full"), torn=True)
    with system.installed(monkeypatch), pytest.raises(OSError, match="full"):
        grown.append(b"two\n")
    assert system.count == 3  # open, the torn write, ftruncate
    assert grown.path.read_bytes() == b"one\n"


def test_append_cuts_off_what_a_failed_append_left(grown, monkeypatch):
    def no_room(fd, data):
        os.pwrite(fd, b"tw", 4)
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", no_room)
        patch.setattr(os, "ftruncate", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "dead")))
        with pytest.raises(OSError, match="full"):
            grown.append(b"two\n")
    assert grown.path.read_bytes() == b"one\ntw"
    grown.append(b"three\n")
    assert grown.path.read_bytes() == b"one\nthree\n"


def test_append_to_a_file_that_shrank_is_refused(grown):
    grown.path.write_bytes(b"o")
    with pytest.raises(OSError, match="shortened"):
        grown.append(b"two\n")
    assert grown.path.read_bytes() == b"o"


def test_write_all_of_nothing_writes_nothing():
    write_all(-1, b"")
