"""Only regular files are opened, and nothing is waited for."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from core.files.opening import FileTooLargeError, NotRegularFileError, open_regular, read_regular

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")


def test_a_regular_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 10)
    assert read_regular(tmp_path / "a", 10) == b"x" * 10


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 11)
    with pytest.raises(FileTooLargeError, match="11 bytes"):
        read_regular(tmp_path / "a", 10)


@posix
def test_a_pipe_nobody_writes_to_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotRegularFileError, match="named pipe"), open_regular(tmp_path / "pipe"):
        pass


@posix
def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the address of a socket has 108 characters at most
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        with pytest.raises(NotRegularFileError, match="socket"):
            read_regular(tmp_path / "s", 10)


@posix
def test_a_device_without_end_is_refused() -> None:
    with pytest.raises(NotRegularFileError, match="device"):
        read_regular(Path("/dev/zero"), 10)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotRegularFileError, match="folder"):
        read_regular(tmp_path, 10)


@posix
@pytest.mark.parametrize("follow", [True, False])
def test_a_link_is_followed_only_where_asked(tmp_path: Path, follow: bool) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "link").symlink_to("a")
    if follow:
        assert read_regular(tmp_path / "link", 10) == b"x"
    else:
        with pytest.raises(NotRegularFileError, match="symbolic link"):
            read_regular(tmp_path / "link", 10, follow=False)


@posix
def test_a_link_to_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with pytest.raises(NotRegularFileError, match="named pipe"):
        read_regular(tmp_path / "link", 10)
