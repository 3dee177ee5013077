"""`run_isicgui.sh test`: every check runs, one failure is enough, and the tests come last."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from core.environment import checks
from core.environment.checks import CHECKS, run_all

PYTHON = Path(sys.executable)
TELL = "import os, sys; print(sys.argv[1:], os.getcwd(), os.environ['QT_QPA_PLATFORM'])"


def test_the_tests_come_last_and_every_tool_is_there() -> None:
    assert [heading.split()[0] for heading, _ in CHECKS] == ["Format", "Lint", "Types", "Import", "Tests"]
    assert "pytest" in CHECKS[-1][1]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_all_run_and_one_failure_is_enough(monkeypatch, capfd, tmp_path: Path, failing: int) -> None:
    programs = [f"print('ran {number}'); raise SystemExit({int(number == failing) * 5})" for number in range(3)]
    monkeypatch.setattr(checks, "CHECKS", tuple((f"Check {n}", ("-c", text)) for n, text in enumerate(programs)))
    assert run_all(PYTHON, tmp_path, [], os.environ) == 1
    said = capfd.readouterr()
    assert said.out.split() == ["ran", "0", "ran", "1", "ran", "2"]
    assert said.err.rstrip().endswith(f"Failed: Check {failing}")


def test_arguments_go_to_the_last_one_alone(monkeypatch, capfd, tmp_path: Path) -> None:
    monkeypatch.setattr(checks, "CHECKS", (("First", ("-c", TELL)), ("Last", ("-c", TELL))))
    assert run_all(PYTHON, tmp_path, ["-k", "a b"], os.environ) == 0
    first, last = capfd.readouterr().out.splitlines()
    assert first == f"[] {tmp_path} offscreen"
    assert last == f"['-k', 'a b'] {tmp_path} offscreen"
