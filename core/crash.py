"""A report file for an error nobody expected."""

from __future__ import annotations

import platform
import sys
import traceback
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from core.files.own import private_folder, write_private
from core.redaction import own_redactor
from core.utils.path_manager import PathManager
from core.version import PRODUCT, __version__


def write_report(error: BaseException, argv: Sequence[str] = ()) -> Path:
    """Write the traceback and the circumstances to a file in the log folder and return its path.

    Only its owner can read it, and what says who that is has been taken out.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    now = datetime.now(timezone.utc)
    lines = [
        f"{PRODUCT} {__version__}, {now.isoformat(timespec='seconds')}",
        f"Python {sys.version.split()[0]} on {platform.platform()}",
        f"Arguments: {' '.join(argv) or '(window)'}",
        "",
        *traceback.format_exception(error),
    ]
    folder = PathManager().log_dir
    private_folder(folder)
    path = folder / f"crash-{now:%Y%m%d-%H%M%S-%f}.txt"
    write_private(path, own_redactor({}).clean("\n".join(lines)) + "\n")
    return path
