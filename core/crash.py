"""A report file for an error nobody expected."""

from __future__ import annotations

import platform
import sys
import traceback
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from core.utils.path_manager import PathManager
from core.version import PRODUCT, __version__


def write_report(error: BaseException, argv: Sequence[str] = ()) -> Path:
    """Write the traceback and the circumstances to a file in the log folder and return its path."""
    now = datetime.now(timezone.utc)
    lines = [
        f"{PRODUCT} {__version__}, {now.isoformat(timespec='seconds')}",
        f"Python {sys.version.split()[0]} on {platform.platform()}",
        f"Arguments: {' '.join(argv) or '(window)'}",
        "",
        *traceback.format_exception(error),
    ]
    folder = PathManager().log_dir
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"crash-{now:%Y%m%d-%H%M%S-%f}.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
