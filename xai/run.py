"""Carries out `explain` and `classify`: image after image, and what is finished is kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from core.cancel import CancelToken
from core.errors import InputRefusedError
from core.events import Event, Notice
from core.files.text import plain
from core.jobs.stream import JobContext, JobStopped, stream
from core.message import Message
from photographs.files import find_photographs
from xai.explain import classify_image, explanations
from xai.explanation import (
    Classified,
    ClassifyRequest,
    Explained,
    ExplainFinished,
    ExplainOptions,
    ExplainRequest,
    Refused,
)
from xai.report import AnalysisWriter


def find_images(inputs: Sequence[Path], warn: Callable[[str], None]) -> list[Path]:
    """Return the images among `inputs`, folders searched recursively, sorted within each.

    Parameters
    ----------
    warn
        Told what was left out, such as helper pictures and files in the cloud, one sentence each.

    Raises
    ------
    InputRefusedError
        If a path does not exist or a folder holds no image.
    """
    return [image for path in inputs for image in _images_of(path, warn)]


def _images_of(path: Path, warn: Callable[[str], None]) -> Sequence[Path]:
    if not path.exists():
        raise InputRefusedError(
            Message("{path} does not exist.", path=path), remedy=Message("Check the spelling of the path."), path=path
        )
    if not path.is_dir():
        return [path]  # whoever reads it refuses what is no picture
    found = find_photographs(path)
    for note in found.notes:
        warn(note)
    if not found.files:
        raise InputRefusedError(
            Message("{path} holds no images.", path=path),
            remedy=found.remedy,
            path=path,
        )
    return found.files


def run_classify(request: ClassifyRequest, cancel: CancelToken) -> Iterator[Event]:
    """Classify every image; one that cannot be read is reported and ignored."""
    return stream(lambda context: _classify(request, context), cancel)


def run_explain(request: ExplainRequest, cancel: CancelToken) -> Iterator[Event]:
    """Explain every image for every class by every method; the maps that are finished have a report, always."""
    return stream(lambda context: _explain(request, context), cancel)


def _classify(request: ClassifyRequest, context: JobContext) -> None:
    images = _images(request.inputs, context)
    for done, image in enumerate(images, start=1):
        context.check()
        try:
            answer = classify_image(image, request.classifier, request.device)
        except InputRefusedError as error:
            context.tell(Refused.of(image, error))
            continue
        context.tell(Classified(image, answer.predicted, answer.probabilities, answer.gate, done, len(images)))


def _explain(request: ExplainRequest, context: JobContext) -> None:
    asked = list(itertools.product(_images(request.inputs, context), map(request.options, request.target)))
    writer = AnalysisWriter(request.output, request.style)
    status: Literal["completed", "stopped"] = "completed"
    report = None
    try:
        for done, (image, options) in enumerate(asked):
            _explain_one(image, options, writer, context.part(done / len(asked), 1 / len(asked), plain(image.name)))
    except JobStopped:
        status = "stopped"
    finally:
        if writer.maps:
            report = writer.finish().report
    context.tell(ExplainFinished(status, writer.maps, report))


def _explain_one(image: Path, options: ExplainOptions, writer: AnalysisWriter, context: JobContext) -> None:
    total = len(options.methods)
    context.progress(0, total, unit="maps")
    try:
        for done, found in enumerate(explanations(image, options, context=context), start=1):
            writer.add(found)
            told = Explained(
                image, found.method, found.target, found.relative_delta, found.gate, found.faithfulness, writer.folder
            )
            context.tell(told)
            context.progress(done, total, unit="maps")
    except InputRefusedError as error:
        context.tell(Refused.of(image, error))


def _images(inputs: tuple[Path, ...], context: JobContext) -> list[Path]:
    return find_images(inputs, lambda words: context.tell(Notice("input", words)))
