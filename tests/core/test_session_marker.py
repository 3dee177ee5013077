from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.crash import SessionMarker, last_lines

ROOT = Path(__file__).resolve().parents[2]

SESSION = """
import ctypes, os, sys
from pathlib import Path
from core.crash import SessionMarker
words = SessionMarker(Path(sys.argv[1]))
words.begin()
(Path(sys.argv[1]) / "isicgui.log").write_text("the last thing that was done\\n")
print("begun", flush=True)
def doing_something_dangerous():
    ctypes.string_at(0)
if sys.argv[2] == "crash":
    doing_something_dangerous()
elif sys.argv[2] == "end":
    words.end()
else:
    sys.stdin.read()
"""


def session(folder: Path, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SESSION, str(folder), how]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\n"
    return process


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "isicgui.log")


def test_a_real_crash_is_reported_once_with_where_it_happened(tmp_path: Path) -> None:
    process = session(tmp_path, "crash")
    process.communicate()
    assert process.returncode != 0
    words = SessionMarker(tmp_path)
    ending = words.begin()
    assert ending is not None
    assert ending.crashed
    text = ending.report.read_text(encoding="utf-8")
    assert "doing_something_dangerous" in text
    assert "the last thing that was done" in text
    words.end()
    assert names(tmp_path) == [ending.report.name]
    again = SessionMarker(tmp_path)
    assert again.begin() is None
    again.end()


def test_a_clean_end_leaves_nothing_and_offers_nothing(tmp_path: Path) -> None:
    session(tmp_path, "end").communicate()
    assert names(tmp_path) == []
    words = SessionMarker(tmp_path)
    assert words.begin() is None
    words.end()
    assert names(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_a_kill_is_told_from_a_crash(tmp_path: Path) -> None:
    process = session(tmp_path, "wait")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    words = SessionMarker(tmp_path)
    ending = words.begin()
    words.end()
    assert ending is not None
    assert not ending.crashed
    assert "no traceback" in ending.report.read_text(encoding="utf-8")


def test_a_session_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    process = session(tmp_path, "wait")
    before = names(tmp_path)
    words = SessionMarker(tmp_path)
    assert words.begin() is None
    words.end()
    assert names(tmp_path) == before
    process.communicate("")  # ends without saying so: the interpreter is shut down, `end` was never called
    words = SessionMarker(tmp_path)
    assert words.begin() is not None
    words.end()


def test_the_latest_of_several_is_told_and_all_are_reported(tmp_path: Path) -> None:
    for how in ("wait", "crash"):
        process = session(tmp_path, how)
        process.kill()
        process.communicate()
    words = SessionMarker(tmp_path)
    ending = words.begin()
    words.end()
    assert ending is not None
    reports = names(tmp_path)
    assert len(reports) == 2
    assert ending.report.name == reports[-1]


def test_a_folder_that_cannot_be_written_keeps_nothing_from_starting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    words = SessionMarker(tmp_path / "file" / "logs")
    assert words.begin() is None
    words.end()


def test_the_last_lines_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(f"line {n}" for n in range(1000)), encoding="utf-8")
    assert last_lines(log, 2) == ["line 998", "line 999"]
    assert last_lines(tmp_path / "missing") == []
