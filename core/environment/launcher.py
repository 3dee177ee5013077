"""From a fresh clone to a running program: set up, check, hand over."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from core.environment import checks
from core.environment.lock import SetupLock
from core.environment.system_libraries import ensure_libraries, has_display
from core.environment.virtual_environment import VirtualEnvironment
from core.environment.words import SetupError, say
from core.errors import ISICGUIError
from core.message import Message

PROJECT_ROOT: Final = Path(__file__).resolve().parents[2]
REQUIREMENTS: Final = "requirements.txt"
TEST_REQUIREMENTS: Final = "requirements-test.txt"
INTERRUPTED: Final = 130


def main(argv: Sequence[str], root: Path = PROJECT_ROOT) -> int:
    """Set up what `argv` needs and carry it out; return the exit code.

    Parameters
    ----------
    argv
        Nothing for the window, ``test`` with arguments for pytest, or a command of `main.py`.
    root
        The folder that `main.py` and the requirements are in; the environment is made next to them.
    """
    try:
        return _run(list(argv), root)
    except ISICGUIError as problem:
        say(f"\n{problem.message}\n{problem.remedy}")
        return problem.exit_code
    except KeyboardInterrupt:
        say("\nInterrupted. Run the same command again to go on.")
        return INTERRUPTED


def _run(argv: list[str], root: Path) -> int:
    testing = argv[:1] == ["test"]
    environment = VirtualEnvironment(root / ".venv")
    changed = _set_up(environment, root, testing)
    if changed or testing or not argv:
        _check_libraries(window=not argv)
    if testing:
        return checks.run_all(environment.python, root, argv[1:], child_variables())
    return _hand_over(environment.python, [str(root / "main.py"), *argv])


def _set_up(environment: VirtualEnvironment, root: Path, testing: bool) -> bool:
    """Bring the environment up to date; return whether anything had to be done."""
    wanted = [root / REQUIREMENTS, *([root / TEST_REQUIREMENTS] if testing else [])]
    if not environment.outdated(wanted):
        return False
    with SetupLock(root / ".venv.lock") as lock:
        if outdated := environment.outdated(wanted):  # another set-up may have finished while we waited
            environment.install(outdated, child_variables(), lock.inherited)
    return True


def _check_libraries(*, window: bool) -> None:
    problem = ensure_libraries()
    if problem and window and has_display():
        raise SetupError(Message("The window cannot open: system libraries that it needs are missing."), remedy=problem)
    if problem:
        say(f"Note: the window would not open yet; generating images works. {problem}")


def child_variables() -> dict[str, str]:
    """Return the process environment for Python programs inside the virtual environment."""
    closed_out = ("PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "__PYVENV_LAUNCHER__")
    variables = {name: value for name, value in os.environ.items() if name not in closed_out}
    if variables.get("LC_ALL") in ("C", "POSIX"):  # Qt hangs if it then has to open a file with other letters
        variables["LC_ALL"] = "C.UTF-8"
    return variables | {"PYTHONUTF8": "1"}


def _hand_over(python: Path, arguments: Sequence[str]) -> int:
    """Become `python arguments`; on Windows, where that is not possible, run it and return its exit code."""
    command = [str(python), *arguments]
    if os.name == "posix":
        sys.stdout.flush()
        os.execve(command[0], command, child_variables())
    return _wait(command, child_variables())


def _wait(command: list[str], variables: Mapping[str, str]) -> int:
    with subprocess.Popen(command, env=dict(variables)) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # the program got it too and decides how to end
                continue
