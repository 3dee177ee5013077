"""The checks of the code, one after the other: what `run_isicgui.sh test` does once everything is installed."""

from __future__ import annotations

import subprocess
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
    ("Tests (pytest)", ("-m", "pytest", "-p", "no:cacheprovider")),
)
"""Heading and arguments for Python; the tests come last, so that their closing line ends the output."""

_TEST_VARIABLES: Final = {"QT_QPA_PLATFORM": "offscreen", "MPLBACKEND": "Agg"}


def run_all(python: Path, root: Path, pytest_arguments: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run every check in `root`, also after one has failed; return 0 if all passed, else 1."""
    failed: list[str] = []
    for heading, arguments in CHECKS:
        say(f"\n==== {heading}")
        extra = pytest_arguments if arguments is CHECKS[-1][1] else ()
        command = [str(python), *arguments, *extra]
        if subprocess.call(command, cwd=root, env={**variables, **_TEST_VARIABLES}, stdin=subprocess.DEVNULL) != 0:
            failed.append(heading)
    if failed:
        say(f"\nFailed: {', '.join(failed)}")
    return 1 if failed else 0
