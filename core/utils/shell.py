"""A command of this program as one line for a terminal."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence

from core.utils.path_manager import PathManager


def shell_line(arguments: Sequence[str], paths: PathManager | None = None, *, windows: bool = os.name == "nt") -> str:
    """Return the line that runs `python main.py` with some arguments, with this Python and from any folder.

    Parameters
    ----------
    windows
        Quote as Windows' own command prompt expects it.
    """
    words = [sys.executable, str((paths or PathManager()).project_root / "main.py"), *arguments]
    return subprocess.list2cmdline(words) if windows else shlex.join(words)
