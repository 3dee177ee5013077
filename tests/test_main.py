"""The front door: what it says when something is missing, and where it leads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import main

WINDOW = ((), ("--safe-mode",))
ROOT = Path(__file__).resolve().parents[1]
NO_DISPLAY = {
    name: value
    for name, value in os.environ.items()
    if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "PYTHONUTF8")
}


def _run(*arguments: str, isolated: bool = False, **variables: str) -> subprocess.CompletedProcess[str]:
    options = ["-S"] if isolated else []
    command = [sys.executable, *options, str(ROOT / "main.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=NO_DISPLAY | variables)


@pytest.mark.parametrize(
    "arguments", [(), ("--safe-mode",), ("doctor",), ("generate", "--classes", "MEL=1"), ("explain",)]
)
def test_without_packages_it_names_them_and_what_to_do(arguments: tuple[str, ...]) -> None:
    """-S: a Python without any installed package, as a fresh system's is."""
    done = _run(*arguments, isolated=True)
    assert done.returncode == 1
    assert "click" in done.stderr
    assert ("PyQt5" in done.stderr) == (arguments in WINDOW)
    assert ("torch" in done.stderr) == (arguments != ("doctor",))
    assert ("captum" in done.stderr) == (arguments in (*WINDOW, ("explain",)))
    assert "./run_isicgui.sh" in done.stderr
    assert "pip install -r requirements.txt" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there always is a display")
@pytest.mark.parametrize(("arguments", "variables"), [((), {}), ((), {"DISPLAY": ":987"}), (("--safe-mode",), {})])
def test_without_a_display_the_window_points_to_generate(arguments: tuple[str, ...], variables: dict[str, str]) -> None:
    done = _run(*arguments, **variables)
    assert done.returncode == 1
    assert "python main.py generate --classes MEL=4 --output OUT" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_needs_no_display_and_speaks_utf8() -> None:
    done = _run("generate", "--classes", "ЖЖ=1", PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert "ЖЖ" in done.stderr


def test_what_each_command_needs_is_what_it_imports_to_start() -> None:
    assert main.missing_packages(main.WINDOW) == []
    assert main.missing_packages(("click", "no_such_package")) == ["no_such_package"]
    assert set(main.BASE) < set(main.FILES) < set(main.ENGINE) < set(main.EXPLAINING) < set(main.WINDOW)
    assert main.missing_packages(main.TRAINING) == []
    assert main.NEEDED["train"] == main.NEEDED["experiments"] == main.TRAINING


def test_an_installed_copy_is_installed_again_not_set_up(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(main, "missing_packages", lambda _: ["torch"])
    monkeypatch.setattr(main, "REQUIREMENTS", tmp_path / "requirements.txt")
    told = main.complaint(["generate"])
    assert told is not None
    assert "pip install --upgrade" in told
    assert "run_isicgui" not in told
