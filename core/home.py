"""The home folder of the user."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from core.version import PRODUCT


def home_folder() -> Path:
    """Return the home of the user; a folder of theirs among the temporary ones for an account that has none."""
    try:
        home = Path.home()
    except RuntimeError:  # neither HOME nor an entry in the list of accounts, as in some containers
        home = Path()
    return home if home.is_absolute() else Path(tempfile.gettempdir()) / f"{PRODUCT.lower()}-{_account()}"


def expanded(text: str) -> Path:
    """Return the path that a person has typed, ``~`` standing for the home folder; an unknown ``~name`` stays so."""
    return Path(os.path.expanduser(text))


def _account() -> str:
    return str(os.getuid()) if os.name == "posix" else "user"
