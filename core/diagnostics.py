"""What somebody sends with a report: versions, machine, settings, latest log lines; nothing that says who they are."""

from __future__ import annotations

import platform
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from core.config.schema import BY_KEY, Value
from core.doctor import read_requirements
from core.home import Redactor
from core.version import PRODUCT, __version__

LOG_LINES: Final = 200
PACKAGES_WIDTH: Final = 100


def describe(
    *,
    facts: Sequence[tuple[str, str]],
    settings: Mapping[str, Value],
    log: Iterable[str],
    requirements: Path,
    redactor: Redactor,
    extra: str = "",
) -> str:
    """Return the text, cleaned.

    Parameters
    ----------
    facts
        Names and values of what only the window knows: devices, memory, screens.
    settings
        What differs from the defaults.
    log
        Log lines, of which the last `LOG_LINES` are taken.
    extra
        A report to begin with.
    """
    own = [(PRODUCT, __version__), ("Python", platform.python_version()), ("System", platform.platform())]
    lines = [extra, ""] if extra else []
    lines += [f"{name}: {value}" for name, value in (*own, *facts)]
    lines += ["", *textwrap.wrap("Packages: " + ", ".join(_packages(requirements)), PACKAGES_WIDTH)]
    lines += ["", "Settings that differ from the defaults:", *(_settings(settings) or ["none"])]
    last = "\n".join(log).splitlines()[-LOG_LINES:]
    lines += ["", f"Last log lines ({len(last)}):", *last]
    return redactor.clean("\n".join(lines)) + "\n"


def _settings(chosen: Mapping[str, Value]) -> list[str]:
    """Return a line for each setting; a path is said to be chosen, not where it leads."""
    return [
        f"{key} = {'(chosen)' if BY_KEY[key].form in ('folder', 'path') else value}" for key, value in chosen.items()
    ]


def _packages(requirements: Path) -> Iterator[str]:
    try:
        names = [requirement.name for requirement in read_requirements(requirements)]
    except (OSError, ValueError, metadata.PackageNotFoundError):
        names = []
    for name in names:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            yield f"{name} missing"
