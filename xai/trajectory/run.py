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

from core.cancel import CancelToken
from core.errors import InputRefusedError, ISICGUIError, ModelRefusedError, UsageError
from core.events import Event, Failed
from core.files.atomic import output_errors
from core.files.folder_lock import FolderLock
from core.files.own import own_work_folder, require_own
from core.generation import PlannedImage
from core.jobs.stream import JobContext, stream
from core.utils.path_manager import PathManager
from xai.trajectory.analysis import ImageAnalysis, StageReporter, analyse_image
from xai.trajectory.folders import (
    ANALYSIS_FILE,
    REPORT_FILE,
    claim,
    classes_in_name,
    draw_pictures,
    find_folder,
    forget,
    is_complete,
    read_json,
    write_numbers,
    write_report,
)
from xai.trajectory.image_page import report_on_image
from xai.trajectory.plots import pictures_of_image
from xai.trajectory.record import arrays_of, describe_image, describe_summary
from xai.trajectory.request import Analysed, AnalysisFinished, AnalysisStarted, TrajectoryRequest
from xai.trajectory.source import ImageSource, Sources, source_of_image
from xai.trajectory.summary import summarise
from xai.trajectory.summary_page import report_on_images, statistics_figure, times_figure

_WORK: Final = ".work"


@dataclass(frozen=True, slots=True)
class Part:
    """One image of a request: what is drawn, and the folder that its analysis goes to."""

    planned: PlannedImage
    folder: Path

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.planned.class_code} {self.planned.index} (seed {self.planned.seed})"


def run_trajectory(request: TrajectoryRequest, cancel: CancelToken) -> Iterator[Event]:
    """Analyse every image of a request and yield the events; see `run_analysis`."""
    return stream(lambda context: run_analysis(request, context), cancel)


def run_analysis(request: TrajectoryRequest, context: JobContext | None = None) -> AnalysisFinished:
    """Analyse every image of a request; images that an interrupted run has finished are not analysed again.

    Parameters
    ----------
    context
        Told of every event; the last one, `AnalysisFinished`, is returned too. It is asked before every denoising step
        and every pass through the classifier whether to go on.

    Raises
    ------
    JobStopped
        As soon as that is asked for; every finished image stays, and the same request goes on from there.
    ModelRefusedError, InputRefusedError
        If not one of the images can be analysed. If only some cannot, a `Failed` event says which and why.
    UsageError, DeviceError, OutputError
    """
    began, context = time.perf_counter(), context or JobContext()
    make_source, planned = _sources(request)
    name = classes_in_name(tuple(dict.fromkeys(image.class_code for image in planned)))
    if request.image is not None:
        name = f"{name}_{PathManager.safe_component(request.image.stem)}"
    folder = find_folder(request, name)
    if folder != request.output:
        require_own(request.output, folder)
    parts = _parts(planned, folder)
    reporter = StageReporter(context, len(parts))
    with _claimed(folder, request):
        context.tell(AnalysisStarted(folder, tuple(p.title for p in parts), sum(is_complete(p.folder) for p in parts)))
        _analyse_all(parts, request, make_source, context, reporter)
        words = _conclude(folder, parts, request, reporter)
    finished = AnalysisFinished(folder, folder / REPORT_FILE, words, time.perf_counter() - began)
    context.tell(finished)
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
    context: JobContext,
    reporter: StageReporter,
) -> None:
    refused: dict[str, ISICGUIError] = {}
    for number, part in enumerate(parts):
        reporter.image = number
        code = part.planned.class_code
        if code in refused or is_complete(part.folder):
            continue
        try:
            context.tell(_analyse_one(part, request, make_source, reporter))
        except (ModelRefusedError, InputRefusedError) as error:
            if {other.planned.class_code for other in parts} == {*refused, code}:
                raise
            refused[code] = error
            images = sum(other.planned.class_code == code for other in parts)
            context.tell(Failed(code, error.kind, error.message, error.remedy, images))


def _analyse_one(
    part: Part,
    request: TrajectoryRequest,
    make_source: Callable[[PlannedImage], ImageSource],
    reporter: StageReporter,
) -> Analysed:
    began = time.perf_counter()
    analysis = analyse_image(make_source(part.planned), request, reporter)
    write_image(analysis, request, part.folder, reporter.stage("pictures"))
    planned = part.planned
    return Analysed(planned.class_code, planned.index, planned.seed, part.folder, time.perf_counter() - began)


def write_image(analysis: ImageAnalysis, request: TrajectoryRequest, folder: Path, context: JobContext) -> None:
    """Write everything there is to keep of one image's analysis; the complete `analysis.json` comes last.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    data = describe_image(analysis, request)
    write_numbers(folder, data, arrays_of(analysis))
    drawn = draw_pictures(folder, pictures_of_image(analysis), context)
    write_report(folder, data, drawn, report_on_image(data, drawn))


def _conclude(folder: Path, parts: list[Part], request: TrajectoryRequest, reporter: StageReporter) -> str:
    """Write the summary of several images; return the verdict."""
    if len(parts) == 1:
        return " ".join(read_json(folder / ANALYSIS_FILE).get("verdict", []))
    context = reporter.summary()
    context.progress(0, 1)
    finished = [part.folder for part in parts if is_complete(part.folder)]
    summary = summarise([read_json(part / ANALYSIS_FILE) for part in finished])
    data = describe_summary(summary, request, [part.name for part in finished])
    write_numbers(folder, data, {})
    plots = {
        "statistical_analysis.png": partial(statistics_figure, summary),
        "time_shap_summary.png": partial(times_figure, summary),
    }
    drawn = draw_pictures(folder, plots, context)
    write_report(folder, data, drawn, report_on_images(summary, drawn, [part.name for part in finished]))
    return " ".join(data["verdict"])


@contextmanager
def _claimed(folder: Path, request: TrajectoryRequest) -> Iterator[None]:
    """Hold a folder alone and say in it what it is for; what is refused before there is a result leaves nothing."""
    work = folder / _WORK
    with output_errors(folder):
        own_work_folder(folder, (_WORK, "*_[0-9]*", "*.json", "*.html", "*.png", "*.npz"))
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
