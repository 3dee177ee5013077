"""`run_isicgui.sh test`: every check runs, one failure is enough, and the tests come last."""

from __future__ import annotations

import ast
import os
import re
import sys
from pathlib import Path

import pytest

from core.environment import checks
from core.environment.checks import CHECKS, run_all

PYTHON = Path(sys.executable)
TELL = "import os, sys; print([sys.argv[1:], os.getcwd(), os.environ['QT_QPA_PLATFORM']])"
SPIN = "import time\nwhile time.process_time() < 5: pass"
BUSY = f"import subprocess, sys; subprocess.check_call([sys.executable, '-c', {SPIN!r}])"


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


def run_two(monkeypatch, capfd, root: Path, *arguments: str) -> tuple[list[str], list[str]]:
    """Run a first and a last check that only tell; return the arguments of both."""
    monkeypatch.setattr(checks, "CHECKS", (("First", ("-c", TELL)), ("Last", ("-c", TELL))))
    assert run_all(PYTHON, root, arguments, os.environ) == 0
    first, last = (ast.literal_eval(line) for line in capfd.readouterr().out.splitlines())
    assert first[1:] == last[1:] == [str(root), "offscreen"]
    return first[0], last[0]


def test_arguments_go_to_the_last_one_alone(monkeypatch, capfd, tmp_path: Path) -> None:
    monkeypatch.setattr(checks, "_processes", lambda: 1)
    assert run_two(monkeypatch, capfd, tmp_path, "-k", "a b") == ([], ["-k", "a b"])


@pytest.mark.parametrize("switch", ["--quick", "--coverage"])
def test_switches_become_arguments_of_pytest(monkeypatch, capfd, tmp_path: Path, switch: str) -> None:
    monkeypatch.setattr(checks, "_processes", lambda: 3)
    assert run_two(monkeypatch, capfd, tmp_path, switch, "-x")[1] == ["-n", "3", *checks.SWITCHES[switch], "-x"]


def test_a_debugger_gets_a_single_process(monkeypatch, capfd, tmp_path: Path) -> None:
    monkeypatch.setattr(checks, "_processes", lambda: 3)
    assert run_two(monkeypatch, capfd, tmp_path, "--pdb")[1] == ["--pdb"]


@pytest.mark.parametrize(("gibibytes", "cores", "processes"), [(64, 2, 2), (64, 64, 8), (7, 4, 2), (1, 4, 1)])
def test_as_many_processes_as_cores_and_memory_allow(monkeypatch, gibibytes: int, cores: int, processes: int) -> None:
    monkeypatch.setattr(checks, "_memory", lambda: gibibytes * 2**30)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: range(cores), raising=False)
    assert checks._processes() == processes


@pytest.mark.skipif(os.name != "posix", reason="Windows does not tell the processor time of ended processes")
def test_the_processor_time_of_the_children_is_told(monkeypatch, capfd, tmp_path: Path) -> None:
    monkeypatch.setattr(checks, "CHECKS", (("Busy", ("-c", BUSY)),))
    assert run_all(PYTHON, tmp_path, [], os.environ) == 0
    said = re.search(r"Took [\d.]+ minutes, ([\d.]+) minutes of processor time", capfd.readouterr().err)
    assert said is not None
    assert float(said[1]) >= 0.1  # 5 seconds in a grandchild


def test_quick_leaves_out_what_is_marked(pytester) -> None:
    pytester.makeini("[pytest]\nmarkers =\n  slow\n  window")
    pytester.makepyfile("""
        import pytest
        def test_quick(): pass
        @pytest.mark.slow
        def test_long(): pass
        @pytest.mark.window
        def test_window(): pass
    """)
    pytester.runpytest(*checks.SWITCHES["--quick"]).assert_outcomes(passed=1, deselected=2)
