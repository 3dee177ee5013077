"""Reads a folder of explanations for the window: words, numbers and pictures. QImage only, so that workers may use it.

Folders of this program and of its predecessor are read alike: whatever pictures and JSON files lie there. A pickle is
never opened, since that runs whatever code is in it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QImage

from core.files import loose_json
from core.files.opening import FileTooLargeError, read_regular
from core.utils.field_types import MOST
from gui.workers.picture_file import read_picture

ANALYSIS: Final = "analysis.json"
PAGE: Final = "report.html"
PICTURES: Final = (".png", ".jpg", ".jpeg")
CLOSED: Final = (".pkl", ".pickle", ".pt", ".pth")
MOST_PICTURES: Final = 60
LARGEST_JSON: Final = 8_000_000
WIDEST: Final = 760

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class ReportPicture:
    """A picture of a run, no wider than a page."""

    path: Path
    image: QImage


@dataclass(frozen=True, slots=True, eq=False)
class RunReport:
    """What lies in a folder of explanations.

    Attributes
    ----------
    analysis
        The content of ``analysis.json``; empty in folders of the predecessor.
    numbers
        Every JSON file by its name, ``analysis.json`` among them.
    pictures
        In the order of the analysis, the others after them by name.
    page
        The page for browsers, if there is one.
    closed
        Names of files that are not opened because opening them may run code.
    left_out
        How many pictures there are beyond those that are shown.
    """

    path: Path
    made: datetime
    analysis: Mapping[str, Any]
    numbers: Mapping[str, Any]
    pictures: tuple[ReportPicture, ...]
    page: Path | None = None
    closed: tuple[str, ...] = ()
    left_out: int = 0


def read_report(path: Path) -> RunReport:
    """Read a folder of explanations, or a single picture of one.

    Raises
    ------
    OSError
        If it is not there or cannot be read.
    """
    made = _moment(path.stat().st_mtime)
    files = _files(path)
    numbers = {file.name: content for file in files if (content := _read_json(file)) is not None}
    analysis = numbers.get(ANALYSIS)
    analysis = analysis if isinstance(analysis, dict) else {}
    paths = _in_order([file for file in files if file.suffix.lower() in PICTURES], _named_pictures(analysis))
    pictures = (ReportPicture(file, load_picture(file)) for file in paths[:MOST_PICTURES])
    page = path / PAGE
    return RunReport(
        path,
        made,
        analysis,
        numbers,
        tuple(picture for picture in pictures if not picture.image.isNull()),
        page if page.is_file() else None,
        tuple(file.name for file in files if file.suffix.lower() in CLOSED),
        max(0, len(paths) - MOST_PICTURES),
    )


def _moment(seconds: float) -> datetime:
    """Return a file's time; the epoch where a file system tells one that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0)


def load_picture(path: Path) -> QImage:
    """Return a picture, made smaller if it is wider than a page; a null image if it cannot be shown."""
    image = read_picture(path)
    if image.width() <= WIDEST:
        return image
    return image.scaledToWidth(WIDEST, Qt.TransformationMode.SmoothTransformation)


def _files(path: Path) -> list[Path]:
    """Return the files of a run: those in its folder and below, and what old versions have laid beside it."""
    if path.is_file():
        return [path]
    inside = sorted(file for file in path.rglob("*") if file.is_file())
    stem = re.sub(r"_\d+$", "", path.name)
    beside = sorted(path.parent.glob(f"xai_{stem}_*.json")) if path.parent.name.isupper() else []
    return [*inside, *beside]


def _read_json(file: Path) -> Any:
    if file.suffix.lower() != ".json":
        return None
    try:
        return _ordinary(loose_json.parse(read_regular(file, LARGEST_JSON)))
    except FileTooLargeError as error:
        return {"…": str(error.strerror)}
    except (OSError, ValueError, RecursionError) as error:
        _log.info("%s is no JSON file that can be read: %s", file, error)
        return None


def _ordinary(value: Any) -> Any:
    """Return JSON with null in place of numbers that no measurement has: NaN, infinity, hundreds of digits."""
    if isinstance(value, dict):
        return {name: _ordinary(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_ordinary(item) for item in value]
    return None if isinstance(value, (int, float)) and not abs(value) <= MOST else value


def _named_pictures(analysis: Mapping[str, Any]) -> list[str]:
    """Return the pictures that an analysis names, in its order."""
    if isinstance(analysis.get("pictures"), list):
        return [str(name) for name in analysis["pictures"]]
    maps = analysis.get("explanations")
    files = [entry.get("files", {}) for entry in maps if isinstance(entry, dict)] if isinstance(maps, list) else []
    figures = [str(entry["figure"]) for entry in files if isinstance(entry, dict) and "figure" in entry]
    return ["comparison.png", *figures] if figures else []


def _in_order(files: Iterable[Path], names: list[str]) -> list[Path]:
    place = {name: number for number, name in enumerate(names)}
    wanted = [file for file in files if file.name in place] if names else list(files)
    return sorted(wanted, key=lambda file: (place.get(file.name, len(names)), str(file)))
