"""Logs and reports are readable by their owner alone."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import home as home_module
from core.crash import SessionMarker, write_report
from core.files.own import open_private, private_folder, write_private
from core.utils import logger
from core.utils.logger import setup_logging, shutdown_logging
from core.utils.path_manager import PathManager

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ISICGUI_HOME", str(tmp_path / "home"))
    before = os.umask(0)
    yield tmp_path / "home"
    os.umask(before)
    shutdown_logging()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_logs_are_private_whatever_the_umask_and_after_turning_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir(mode=0o755)
    for name in ("isicgui.log", "isicgui.log.1", "crash-1.txt"):
        (folder / name).touch(mode=0o644)
    (folder / "notes.txt").touch(mode=0o644)  # somebody else's
    monkeypatch.setattr(logger, "FILE_BYTES", 200)
    setup_logging(console=False, log_dir=folder)
    for number in range(20):
        logging.getLogger("core.example").info("line %d \udcff", number)
    logs = sorted(folder.glob("isicgui.log*"))
    assert len(logs) > 2
    assert {mode(path) for path in logs} == {0o600}
    assert mode(folder) == 0o700
    assert mode(folder / "crash-1.txt") == 0o600
    assert mode(folder / "notes.txt") == 0o644
    assert b"\\udcff" in logs[0].read_bytes()


@posix
def test_a_link_or_pipe_in_place_of_the_log_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    for number, make in enumerate((lambda at: at.symlink_to(tmp_path / "mine.txt"), os.mkfifo)):
        folder = tmp_path / str(number)
        folder.mkdir()
        make(folder / "isicgui.log")
        setup = setup_logging(console=False, log_dir=folder)
        logging.getLogger("core.example").info("x")
        assert setup.file is None
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "mine"


@posix
def test_reports_of_crashes_are_private_and_name_nobody(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_module.getpass, "getuser", lambda: "ivanova")
    monkeypatch.setattr(home_module, "home_folder", lambda: Path("/data/people/ivanova"))
    report = write_report(ValueError("/data/people/ivanova/MEL/\udcff.png"), ["classify", "/data/people/ivanova/x"])
    text = report.read_text(encoding="utf-8")
    assert mode(report) == 0o600
    assert mode(report.parent) == 0o700
    assert "ivanova" not in text
    assert "~/MEL/\\udcff.png" in text


@posix
def test_what_a_session_leaves_behind_is_private(home: Path) -> None:
    folder = PathManager().log_dir
    words = SessionMarker(folder)
    words.begin()
    assert {mode(path) for path in folder.iterdir()} == {0o600}
    words.end()
    (folder / "session-20260101-000000-0-1.faults").write_text("Fatal", encoding="utf-8")
    os.mkfifo(folder / "session-20260101-000000-0-2.faults")
    again = SessionMarker(folder)
    ending = again.begin()
    again.end()
    assert ending is not None
    assert mode(ending.report) == 0o600


@posix
def test_a_file_that_is_there_is_replaced_and_made_private(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("a longer text that was there", encoding="utf-8")
    path.chmod(0o666)
    write_private(path, "short \udcff")
    assert path.read_text(encoding="utf-8") == "short \\udcff"
    assert mode(path) == 0o600


@posix
def test_no_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("other")
    with pytest.raises(OSError, match="link"):
        open_private(tmp_path / "link", os.O_WRONLY | os.O_CREAT)
    assert not (tmp_path / "other").exists()


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    with pytest.raises(FileExistsError):
        private_folder(tmp_path / "logs")
