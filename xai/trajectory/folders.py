"""Where an analysis lies, and how an interrupted one is found again.

In an output folder of this program (or one named `xai_results`), each analysis gets a folder of its own, named as the
predecessor named it: `<output>/xai_results/xai_analysis_<CLASS>_<YYYYmmdd_HHMMSS>/`. Any other folder is itself that of
one analysis. `request.json` in it says what was asked for; the same request finds an unfinished analysis again.

What is left of one image's analysis is written here: numbers first; a picture that fails costs nothing but itself.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import reports
from core.errors import UsageError
from core.files.atomic import output_errors, write_text_atomic
from core.files.reading import DamagedFileError
from core.files.reading import read_json as read_file
from core.files.text import finite, finite_json
from core.jobs.stream import JobContext
from core.keeping import replace_kept, replace_kept_text
from core.message import Message
from core.taxonomy import CLASS_CODES
from dataset.layout import CSV_NAME, STATE_DIR
from reports.html import render_html
from reports.model import Report
from xai.trajectory.request import TrajectoryRequest

MAX_BYTES: Final = 1024**3
"""Of one record: that of a long trajectory with its coalitions holds some hundred megabytes at most."""

FORMAT: Final = 2
"""Of `analysis.json`; what is written in another one is analysed again."""

REQUEST_FILE: Final = "request.json"
ANALYSIS_FILE: Final = "analysis.json"
REPORT_FILE: Final = "report.html"
RESULTS: Final = "xai_results"


def identity(request: TrajectoryRequest) -> dict[str, Any]:
    """Return what makes two requests the same analysis, as JSON types.

    Several images are the same analysis whatever their number, so that a set can be enlarged later.
    """
    images = request.planned()
    asked = {
        "seed": request.seed,
        "only": [images[0].class_code, images[0].seed] if len(images) == 1 else None,
        "places": {
            name: None if path is None else _digest(path)
            for name, path in (("image", request.image), ("models", request.models), ("classifier", request.classifier))
        },
        "settings": request.settings(),
    }
    same: dict[str, Any] = json.loads(finite_json(finite(asked)))
    return same


def first_identity(request: TrajectoryRequest) -> dict[str, Any]:
    """Return the same as version 0.1.0 wrote it, with whole paths: analyses that it began are continued."""
    paths = {name: getattr(request, name) for name in ("models", "classifier", "image")}
    whole = {name: None if path is None else str(path.absolute()) for name, path in paths.items()}
    now = identity(request)
    settings = {**now["settings"], "models": whole["models"], "classifier": whole["classifier"]}
    return {"seed": now["seed"], "only": now["only"], "image": whole["image"], "settings": settings}


def is_same(known: dict[str, Any], request: TrajectoryRequest) -> bool:
    """Whether what a folder says it is for is what a request asks for."""
    return known in (identity(request), first_identity(request))


def _digest(path: Path) -> str:
    """Return what tells a place from others without naming it: the folder is passed on."""
    return hashlib.sha256(str(path.absolute()).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def find_folder(request: TrajectoryRequest, class_name: str) -> Path:
    """Return the folder of the analysis: an unfinished one of the same request, or one that may not exist yet.

    Parameters
    ----------
    class_name
        What stands for the classes in the name of a new folder.
    """
    if not _holds_images(request.output):
        return request.output
    results = request.output if request.output.name == RESULTS else request.output / RESULTS
    return next(_unfinished(results, request), None) or _new_name(results, class_name)


def claim(folder: Path, request: TrajectoryRequest) -> None:
    """Write into a folder what it is for, unless it is for that already.

    Raises
    ------
    UsageError
        If it holds another analysis.
    """
    known = read_json(folder / REQUEST_FILE)
    if is_same(known, request):
        return
    if known and _holds_results(folder):
        raise UsageError(
            Message("{folder} holds another analysis.", folder=folder),
            remedy=Message("Name another folder, or repeat the command that began it to continue it."),
            path=folder,
        )
    write_text_atomic(folder / REQUEST_FILE, finite_json(identity(request)))


def forget(folder: Path) -> None:
    """Take back a claim that came to nothing; a folder that is empty then goes too."""
    if not _holds_results(folder):
        (folder / REQUEST_FILE).unlink(missing_ok=True)
        with suppress(OSError):  # it holds something else
            folder.rmdir()


def classes_in_name(classes: tuple[str, ...]) -> str:
    """Return `MEL`, `MEL_NV` or `all`."""
    return "all" if classes == CLASS_CODES else "_".join(classes)


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, or an empty one if there is none that can be read."""
    try:
        return read_file(path, dict[str, Any], what="a record of an analysis", limit=MAX_BYTES)
    except (FileNotFoundError, DamagedFileError):
        return {}


def is_complete(folder: Path) -> bool:
    """Whether a folder holds an analysis of this format that was carried through, pictures and all."""
    content = read_json(folder / ANALYSIS_FILE)
    return content.get("complete") is True and content.get("format") == FORMAT


def _holds_images(folder: Path) -> bool:
    return folder.name == RESULTS or (folder / STATE_DIR).is_dir() or (folder / CSV_NAME).is_file()


def _unfinished(results: Path, request: TrajectoryRequest) -> Iterator[Path]:
    """Yield the analyses of the same request that were interrupted, the latest first."""
    found = sorted(results.glob("xai_analysis_*"), reverse=True) if results.is_dir() else []
    yield from (f for f in found if is_same(read_json(f / REQUEST_FILE), request) and not is_complete(f))


def _holds_results(folder: Path) -> bool:
    return any(next(folder.glob(pattern), None) for pattern in (ANALYSIS_FILE, f"*/{ANALYSIS_FILE}"))


def _new_name(results: Path, class_name: str) -> Path:
    stem = f"xai_analysis_{class_name}_{datetime.now():%Y%m%d_%H%M%S}"
    number, folder = 1, results / stem
    while folder.exists():
        number += 1
        folder = results / f"{stem}_{number}"
    return folder


logger = logging.getLogger(__name__)

Picture = Callable[[], bytes]
"""Draws a picture and returns it as a PNG file."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Pictures that were drawn, by file name, and why others were not."""

    pictures: Mapping[str, bytes]
    failed: Mapping[str, str]


def write_numbers(folder: Path, data: Mapping[str, Any], arrays: Mapping[str, bytes]) -> None:
    """Write the arrays and an `analysis.json` that is not yet marked complete.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in arrays.items():
            replace_kept(folder / name, content)
        replace_kept_text(folder / ANALYSIS_FILE, finite_json({**data, "complete": False}))


def draw_pictures(folder: Path, pictures: Mapping[str, Picture], context: JobContext | None = None) -> Drawn:
    """Draw and write pictures; one that fails is noted and the others are drawn all the same.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    context = context or JobContext()
    drawn, failed = {}, {}
    for done, (name, draw) in enumerate(pictures.items()):
        context.progress(done, len(pictures), unit="pictures")
        try:
            drawn[name] = draw()
        except Exception as error:  # noqa: BLE001  the boundary: whatever is wrong with a plot, the numbers stand
            logger.warning("The figure %s failed: %r", name, error)
            failed[name] = repr(error)
            continue
        with output_errors(folder):
            replace_kept(folder / name, drawn[name])
    return Drawn(drawn, failed)


def write_report(folder: Path, data: Mapping[str, Any], drawn: Drawn, report: Report) -> None:
    """Write the report and, last of all, the complete `analysis.json`.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    listed = {"pictures": list(drawn.pictures), "pictures_failed": dict(drawn.failed), "complete": True}
    with output_errors(folder):
        reports.write(folder / REPORT_FILE, render_html(report))
        replace_kept_text(folder / ANALYSIS_FILE, finite_json({**data, **listed}))
