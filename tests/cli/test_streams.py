"""Commands whose output nobody reads, or whose standard streams a shell has closed: no traceback, no damage."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")

CASES = [
    (("doctor",), "| true"),
    (("doctor", "--json"), ">&- 2>&- <&-"),
    (("models", "list"), "2>&1 | true"),
    (("--help",), "| true"),
    (("classify", "nothing-there"), "2>&1 | true"),
    (("classify", "nothing-there", "--json"), ">&- 2>&- <&-"),
]


def shell(tmp_path: Path, words: tuple[str, ...], ending: str) -> subprocess.CompletedProcess[str]:
    command = " ".join([f"'{sys.executable}'", "main.py", *words, ending])
    environment = {**os.environ, "ISICGUI_HOME": str(tmp_path / "home")}
    return subprocess.run(
        ["sh", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.mark.parametrize(("words", "ending"), CASES)
def test_nothing_fails_where_nobody_listens(tmp_path: Path, words: tuple[str, ...], ending: str) -> None:
    done = shell(tmp_path, words, ending)
    assert "Traceback" not in done.stdout + done.stderr
    assert "Exception ignored" not in done.stderr
    assert not list((tmp_path / "home" / "logs").glob("crash-*"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
@pytest.mark.parametrize("words", [("models", "list"), ("models", "list", "--json")], ids=" ".join)
def test_results_that_cannot_be_written_are_told(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = shell(tmp_path, words, ">/dev/full")
    assert done.returncode == 4
    assert "standard output" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    script = "import main; main.open_standard_streams(); import sys; print('x'); f = open('a'); sys.exit(f.fileno())"
    (tmp_path / "a").touch()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = ["sh", "-c", f"'{sys.executable}' -c \"{script}\" >&- 2>&- <&-"]
    assert subprocess.run(command, cwd=tmp_path, env=environment, timeout=60, check=False).returncode > 2
