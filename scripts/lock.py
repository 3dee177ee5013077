"""Write requirements.lock again: `python scripts/lock.py`, with `--upgrade` for the newest versions of everything.

The lock names one version of every package, with the SHA-256 of each of its files on PyPI, for all systems and Pythons
that the program runs on. It is used as a list of constraints (see core/environment/virtual_environment.py), so
requirements.txt and requirements-test.txt stay what is asked for. Needs uv, and PyPI.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
LOCK: Final = "requirements.lock"
PYPI: Final = "https://pypi.org/simple"
OLDEST_PYTHON: Final = "3.10"


def command(options: list[str]) -> list[str]:
    """Return the call of uv; the systems that are locked for stand in pyproject.toml under `tool.uv`."""
    return [
        *(sys.executable, "-m", "uv", "pip", "compile", "requirements-test.txt"),
        *("--universal", "--python-version", OLDEST_PYTHON, "--no-python-downloads"),
        *("--generate-hashes", "--default-index", PYPI, "--no-emit-index-url", "--no-emit-find-links"),
        *("--custom-compile-command", "python scripts/lock.py", "--quiet", "--output-file", LOCK),
        *options,
    ]


if __name__ == "__main__":
    sys.exit(subprocess.call(command(sys.argv[1:]), cwd=ROOT))
