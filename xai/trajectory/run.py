"""Carries out a request: image after image, each finished completely before the next, then the summary."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from core.errors import InputRefusedError, ISICGUIError, ModelRefusedError, UsageError
from core.events import Failed
from core.generator.request import PlannedImage
from core.utils.folder_lock import FolderLock
from core.utils.output_errors import output_errors
from xai.attribution import never
from xai.trajectory.analysis import ImageAnalysis, analyse_image
from xai.trajectory.artefacts import draw_pictures, write_numbers, write_report
from xai.trajectory.events import Analysed, AnalysisFinished, AnalysisStarted, Progress
from xai.trajectory.folders import (
    ANALYSIS_FILE,
    REPORT_FILE,
    claim,
    classes_in_name,
    find_folder,
    forget,
    is_complete,
    read_json,
)
from xai.trajectory.image_page import report_on_image
from xai.trajectory.image_pictures import pictures_of_image
from xai.trajectory.progress import Reporter, Tell, silent
from xai.trajectory.record import arrays_of, describe_image, describe_summary
from xai.trajectory.request import TrajectoryRequest
from xai.trajectory.source import ImageSource, Sources, source_of_image
from xai.trajectory.summary import summarise
from xai.trajectory.summary_page import report_on_images
from xai.trajectory.summary_plots import statistics_figure, times_figure

_WORK: Final = ".work"

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Part:
    """One image of a request: what is drawn, and the folder that its analysis goes to."""

    planned: PlannedImage
    folder: Path

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.planned.class_code} {self.planned.index} (seed {self.planned.seed})"


def run_analysis(request: TrajectoryRequest, tell: Tell = silent, should_stop: Stop = never) -> AnalysisFinished:
    """Analyse every image of a request; images that an interrupted run has finished are not analysed again.

    Parameters
    ----------
    tell
        Called with every event; the last one, `AnalysisFinished`, is returned too.
    should_stop
        Looked at before every denoising step and every pass through the classifier.

    Raises
    ------
    ExplanationCancelled
        As soon as `should_stop` says so; every finished image stays, and the same request goes on from there.
    ModelRefusedError, InputRefusedError
        If not one of the images can be analysed. If only some cannot, a `Failed` event says which and why.
    UsageError, DeviceError, OutputError
    """
    began = time.perf_counter()
    make_source, planned = _sources(request)
    folder = find_folder(request, classes_in_name(tuple(dict.fromkeys(image.class_code for image in planned))))
    parts = _parts(planned, folder)
    with _claimed(folder, request):
        tell(AnalysisStarted(folder, tuple(p.title for p in parts), sum(is_complete(p.folder) for p in parts)))
        _analyse_all(parts, request, make_source, tell, should_stop)
        words = _conclude(folder, parts, request, tell)
    finished = AnalysisFinished(folder, folder / REPORT_FILE, words, time.perf_counter() - began)
    tell(finished)
    return finished


def _sources(request: TrajectoryRequest) -> tuple[Callable[[PlannedImage], ImageSource], list[PlannedImage]]:
    if request.image is None:
        return Sources(request).source, request.planned()
    source = source_of_image(request.image, request)
    return lambda _planned: source, [source.planned]


def _parts(planned: list[PlannedImage], folder: Path) -> list[Part]:
    if len(planned) == 1:
        return [Part(planned[0], folder)]
    return [Part(image, folder / f"{image.class_code}_{image.index:04d}_{image.seed}") for image in planned]


def _analyse_all(
    parts: list[Part],
    request: TrajectoryRequest,
    make_source: Callable[[PlannedImage], ImageSource],
    tell: Tell,
    should_stop: Stop,
) -> None:
    reporter = Reporter(tell, len(parts))
    refused: dict[str, ISICGUIError] = {}
    for number, part in enumerate(parts):
        reporter.image = number
        code = part.planned.class_code
        if code in refused or is_complete(part.folder):
            continue
        try:
            _analyse_one(part, request, make_source, reporter, tell, should_stop)
        except (ModelRefusedError, InputRefusedError) as error:
            if {other.planned.class_code for other in parts} == {*refused, code}:
                raise
            refused[code] = error
            images = sum(other.planned.class_code == code for other in parts)
            tell(Failed(code, error.kind, error.message, error.remedy, images))


def _analyse_one(
    part: Part,
    request: TrajectoryRequest,
    make_source: Callable[[PlannedImage], ImageSource],
    reporter: Reporter,
    tell: Tell,
    should_stop: Stop,
) -> None:
    began = time.perf_counter()
    analysis = analyse_image(make_source(part.planned), request, reporter, should_stop)
    write_image(analysis, request, part.folder, reporter)
    planned = part.planned
    tell(Analysed(planned.class_code, planned.index, planned.seed, part.folder, time.perf_counter() - began))


def write_image(analysis: ImageAnalysis, request: TrajectoryRequest, folder: Path, reporter: Reporter) -> None:
    """Write everything there is to keep of one image's analysis; the complete `analysis.json` comes last.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    data = describe_image(analysis, request)
    write_numbers(folder, data, arrays_of(analysis))
    drawn = draw_pictures(folder, pictures_of_image(analysis), reporter.told("pictures"))
    write_report(folder, data, drawn, report_on_image(data, drawn))


def _conclude(folder: Path, parts: list[Part], request: TrajectoryRequest, tell: Tell) -> str:
    """Write the summary of several images; return the verdict."""
    if len(parts) == 1:
        return " ".join(read_json(folder / ANALYSIS_FILE).get("verdict", []))
    tell(Progress("summary", 0, 1, 0.99, "Summary"))
    finished = [part.folder for part in parts if is_complete(part.folder)]
    summary = summarise([read_json(part / ANALYSIS_FILE) for part in finished])
    data = describe_summary(summary, request, [part.name for part in finished])
    write_numbers(folder, data, {})
    plots = {
        "statistical_analysis.png": partial(statistics_figure, summary),
        "time_shap_summary.png": partial(times_figure, summary),
    }
    drawn = draw_pictures(folder, plots)
    write_report(folder, data, drawn, report_on_images(summary, drawn, [part.name for part in finished]))
    return " ".join(data["verdict"])


@contextmanager
def _claimed(folder: Path, request: TrajectoryRequest) -> Iterator[None]:
    """Hold a folder alone and say in it what it is for; what is refused before there is a result leaves nothing."""
    work = folder / _WORK
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        work.mkdir(exist_ok=True)
    try:
        with FolderLock(work, subject=folder):
            with output_errors(folder):
                claim(folder, request)
            yield
    except (ModelRefusedError, InputRefusedError, UsageError):
        shutil.rmtree(work, ignore_errors=True)
        forget(folder)
        raise
    shutil.rmtree(work, ignore_errors=True)
