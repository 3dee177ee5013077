"""The full analysis of one image as a process of its own, controlled by ISICGenerator's environment variables.

`python xai/XAI.py` writes to `xai_results/xai_analysis_<CLASS>_<YYYYmmdd_HHMMSS>/` in the working folder. The variables
are described in docs/trajectory.md; `python main.py trajectory` does the same by flags. Importing this does nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from core.errors import ISICGUIError
    from core.events import Event

PROJECT = Path(__file__).resolve().parent.parent


def main(environment: Mapping[str, str] = os.environ, folder: Path | None = None) -> int:
    """Analyse the image that the environment names; return the exit code.

    Parameters
    ----------
    folder
        Where `xai_results` goes; the working folder if None.
    """
    from core.errors import ISICGUIError
    from core.jobs.registry import run
    from core.utils.logger import setup_logging
    from xai.trajectory.request import request_of_environment

    setup_logging(console=False)
    try:
        request = request_of_environment(environment, (folder or Path.cwd()) / "xai_results")
        for event in run(request):
            _tell(event)
    except ISICGUIError as error:
        return _refuse(error)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. Run the same command again to continue.\n")
        return 130
    return 0


def _tell(event: Event) -> None:
    from core.events import Progress
    from xai.trajectory.request import AnalysisFinished

    if isinstance(event, Progress):
        sys.stderr.write(f"{event.fraction:4.0%}  {event.sentence}\n")
    elif isinstance(event, AnalysisFinished):
        sys.stdout.write(f"{event.verdict}\n{event.report}\n")


def _refuse(error: ISICGUIError) -> int:
    sys.stderr.write(f"Error: {error.message}\n{error.remedy}\n")
    return error.exit_code


def _prepare(streams: tuple[TextIO, ...]) -> None:
    """Find the project's packages instead of the files beside this one, speak UTF-8, draw without a screen."""
    sys.path[0] = str(PROJECT)  # xai/statistics.py would else hide the standard library's
    os.environ["MPLBACKEND"] = "Agg"
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


if __name__ == "__main__":
    _prepare((sys.stdout, sys.stderr))
    import core  # noqa: F401  # sets how torch's threads wait

    sys.exit(main())
