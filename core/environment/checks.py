"""The checks of the code, one after the other: what `run_isicgui.sh test` does once everything is installed."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from core.environment.words import say

_IMPORT_CONTRACTS: Final = (
    "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
)

CHECKS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("Format (ruff format)", ("-m", "ruff", "format", "--check", ".")),
    ("Lint (ruff check)", ("-m", "ruff", "check", ".")),
    ("Types (mypy)", ("-m", "mypy")),
    ("Import contracts (import-linter)", ("-c", _IMPORT_CONTRACTS)),
    ("Tests (pytest)", ("-m", "pytest", "-p", "no:cacheprovider", "--durations=20")),
)
"""Heading and arguments for Python; the tests come last, so that their closing line ends the output."""

SWITCHES: Final[Mapping[str, tuple[str, ...]]] = {
    "--quick": ("-m", "not slow and not window"),
    "--coverage": ("--cov", "--cov-report=term:skip-covered"),
}
"""What the switches of `test` mean to pytest: the tests that take long or open a window left out; coverage told."""

_ALONE: Final = frozenset({"--pdb", "--trace", "-s", "--capture=no"})
"""Arguments for pytest that want a single process, in the foreground."""

_BYTES_PER_PROCESS: Final = 3 * 2**30
"""What a process that runs tests, and those that it starts, may take in memory."""

_MOST_PROCESSES: Final = 8

_TEST_VARIABLES: Final = {"QT_QPA_PLATFORM": "offscreen", "MPLBACKEND": "Agg"}


def run_all(python: Path, root: Path, arguments: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run every check in `root`, also after one has failed; return 0 if all passed, else 1.

    Parameters
    ----------
    arguments
        Of `test`: the switches `--quick` and `--coverage`, anything else is for pytest.
    """
    failed: list[str] = []
    for heading, check in CHECKS:
        say(f"\n==== {heading}")
        is_last = check is CHECKS[-1][1]
        command = [str(python), *check, *(_pytest_arguments(arguments) if is_last else ())]
        began, used = time.monotonic(), _processor_seconds()
        code = subprocess.call(command, cwd=root, env={**variables, **_TEST_VARIABLES}, stdin=subprocess.DEVNULL)
        say(_time_taken(time.monotonic() - began, _processor_seconds() - used))
        if code != 0:
            failed.append(heading)
    if failed:
        say(f"\nFailed: {', '.join(failed)}")
    return 1 if failed else 0


def _pytest_arguments(arguments: Sequence[str]) -> list[str]:
    found = [part for argument in arguments for part in SWITCHES.get(argument, (argument,))]
    processes = 1 if _ALONE.intersection(arguments) else _processes()
    return ["-n", str(processes), *found] if processes > 1 else found


def _processes() -> int:
    """Return how many processes share the tests: one for each core, as far as the memory goes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, _memory() // _BYTES_PER_PROCESS, _MOST_PROCESSES))


def _memory() -> int:
    """Return the bytes of memory of this computer; enough for two processes where Python alone cannot tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 2 * _BYTES_PER_PROCESS


def _processor_seconds() -> float:
    """Return the processor time of all ended child processes so far; 0 on Windows, which does not tell."""
    times = os.times()
    return times.children_user + times.children_system


def _time_taken(passed: float, used: float) -> str:
    words = f"Took {passed / 60:.1f} minutes"
    return f"{words}, {used / 60:.1f} minutes of processor time." if used else f"{words}."
