"""A whole evaluation: sets in, measurements, `results.json`, `report.html` and `report.pdf` out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import reports
from core.cancel import CancelToken
from core.errors import ISICGUIError, OutputError
from core.events import Event, Notice
from core.files.atomic import output_errors
from core.jobs.stream import JobContext, stream
from core.message import Message
from core.models.classification.loading import LoadedNetwork, load_network
from core.precision import resolve_device
from core.utils.path_manager import PathManager
from evaluation.context import Context
from evaluation.features import FeatureCache
from evaluation.finding import Finding, worst
from evaluation.itself import fault_section, photographs_that_are_none, same_images, voided
from evaluation.measurements import MEASUREMENTS, Measurement
from evaluation.report import PDF_FILE, REPORT_FILE, created_now, report_of
from evaluation.request import EvaluationFinished, EvaluationRequest, EvaluationStarted, Judged
from evaluation.results import Findings, SetFindings, write_results
from evaluation.sets import ImageSet, divide, lesions_in_both, read_set, refuse_missing, refuse_shared_pictures
from evaluation.spaces import make_spaces
from measures.features import default_evaluator
from measures.lpips import load_lpips
from reports.html import render_html
from reports.pdf import render_pdf
from training.run_folder import before, unless_refused

LARGEST_SIDE: Final = 256
"""Larger pictures are compared at this size: features and pixels gain nothing from more."""

FEWEST: Final = 20
READING: Final = 0.05
WRITING: Final = 0.03


def run_evaluation(request: EvaluationRequest, cancel: CancelToken) -> Iterator[Event]:
    """Carry out an evaluation and yield its events; see `evaluate`."""
    return stream(lambda context: evaluate(request, context), cancel)


def evaluate(request: EvaluationRequest, context: JobContext | None = None) -> Findings:
    """Carry out an evaluation and return what it found.

    Raises
    ------
    InputRefusedError
        If a folder is not there or holds no picture that can be read.
    ModelRefusedError
        If the classifier or the weights of a feature space cannot be used.
    OutputError
        If the output folder cannot be written.
    JobStopped
        If that was asked for; the features computed so far are cached.
    """
    places = (request.real, request.train, *request.synthetic, request.masks, request.reference)
    refuse_missing(*filter(None, places))  # before minutes of measuring, and before there is a folder
    with unless_refused(request.output, before(request.output)):
        with output_errors(request.output):
            request.output.mkdir(parents=True, exist_ok=True)
        return _Evaluation(request, context or JobContext()).carry_out()


class _Evaluation:
    def __init__(self, request: EvaluationRequest, job: JobContext) -> None:
        self._request, self._job, self._began = request, job, time.perf_counter()

    def carry_out(self) -> Findings:
        request = self._request
        self._job.tell(EvaluationStarted(request.output, request.synthetic, request.real))
        real, train, sets, notes = self._read_sets()
        none = photographs_that_are_none(real, train)
        faults = [(*none, *same_images(one, real, train)) for one in sets]
        for one, wrong in zip(sets, faults, strict=True):
            for fault in wrong:  # before everything else
                self._job.tell(Notice("comparison", Message("{name}: {note}", name=one.name, note=fault)))
        for note in [*notes, *(f"{one.name}: {note}" for one in (real, *sets) for note in one.notes)]:
            self._job.tell(Notice("evaluate", note))
        context = self._context(real, train, sets)
        found = tuple(
            self._judge(context, one, wrong, place, len(sets))
            for place, (one, wrong) in enumerate(zip(sets, faults, strict=True))
        )
        spaces = {space.name: str(space.caution) for space in context.spaces}
        findings = Findings(request.to_json(), created_now(), real, train, context.side, spaces, notes, found)
        self._write(findings)
        return findings

    def _read_sets(self) -> tuple[ImageSet, ImageSet | None, list[ImageSet], list[str]]:
        request = self._request
        folders = [request.real, *([request.train] if request.train else []), *request.synthetic]
        reading, share = self._job.part(0, READING, Message("Reading the images")), 1 / len(folders)
        read = [
            read_set(folder, name, reading.part(place * share, share))
            for place, (folder, name) in enumerate(zip(folders, _names(folders), strict=True))
        ]
        real, *rest = read
        train = rest.pop(0) if request.train else None
        notes = list(_notes(real, train, rest))
        if train is not None and request.train and request.train.resolve() == request.real.resolve():
            train, real = divide(real)
            notes.append(
                Message(
                    "Training and real photographs are one data set, split by lesion as for the "
                    "starter models: {train} for training, {real} held out.",
                    train=len(train),
                    real=len(real),
                )
            )
        elif train is not None:
            refuse_shared_pictures(train, real)
            notes += filter(None, [lesions_in_both(train, real)])
        return real, train, rest, notes

    def _context(self, real: ImageSet, train: ImageSet | None, sets: Sequence[ImageSet]) -> Context:
        request = self._request
        device = resolve_device(request.device)
        path = request.evaluator or default_evaluator()
        network: LoadedNetwork | None = None if path is None else load_network(path, device)
        side = min(LARGEST_SIDE, *(one.side for one in (real, *sets)))
        cache = FeatureCache(request.cache or PathManager().cache_dir / "features")
        spaces = make_spaces(network, request.features, device)
        perceptual = None if request.lpips is None else load_lpips(request.lpips, device)
        return Context(request, real, train, side, network, spaces, device, cache, perceptual)

    def _judge(
        self, context: Context, images: ImageSet, faults: tuple[Message, ...], place: int, sets: int
    ) -> SetFindings:
        """Measure one set; a measurement that cannot be made says why and spoils no other."""
        asked = [MEASUREMENTS[key] for key in self._request.measures or MEASUREMENTS]
        whole = sum(one.weight for one in asked)
        share = (1 - READING - WRITING) / sets
        begin, sections = READING + share * place, [fault_section(faults)] if faults else []
        for first in sections:
            self._tell(images, first)
        for one in asked:
            part = share * one.weight / whole
            words = Message("{name}: {note}", name=images.name, note=one.title)
            section = self._measure(context, images, one, self._job.part(begin, part, words))
            begin += part
            if section is not None:
                sections.append(voided(section) if faults else section)
                self._tell(images, sections[-1])
        return SetFindings(images, tuple(sections), faults)

    def _tell(self, images: ImageSet, section: Finding) -> None:
        self._job.tell(Judged(images.name, section.key, section.title, section.level, section.verdict))

    def _measure(self, context: Context, images: ImageSet, one: Measurement, job: JobContext) -> Finding | None:
        job.progress(0, 1)
        try:
            return one.measure(context, images, job)
        except OutputError:
            raise  # nothing else can be written either
        except ISICGUIError as error:
            return Finding(one.key, one.title, "unknown", Message("Not measured: {why}", why=error.message))

    def _write(self, findings: Findings) -> None:
        output = self._request.output
        self._job.part(1 - WRITING, WRITING, Message("Writing the report")).progress(0, 1)
        with output_errors(output):
            results = write_results(findings, output)
            report = report_of(findings)
            reports.write(output / REPORT_FILE, render_html(report))
            reports.write(output / PDF_FILE, render_pdf(report))
        level = worst([found.level for found in findings.sets])
        words = " ".join(f"{found.name}: {found.verdict}" for found in findings.sets)
        self._job.tell(
            EvaluationFinished(
                output, results, output / REPORT_FILE, output / PDF_FILE, level,
                findings.sets[0].verdict if len(findings.sets) == 1 else words,
                round(time.perf_counter() - self._began, 1),
                {found.name: _in_short(found) for found in findings.sets},
            )
        )  # fmt: skip


def _in_short(found: SetFindings) -> dict[str, Any]:
    """Return what the end says of a set; the numbers are in `results.json`."""
    sections = [{"title": one.title, "level": one.level, "verdict": one.verdict} for one in found.sections]
    return {"images": len(found.images), "level": found.level, "verdict": found.verdict, "sections": sections}


def _names(folders: Sequence[Path]) -> list[str]:
    """Return the folders' names; where two are alike, with the folder above."""
    names = [folder.resolve().name for folder in folders]
    return [
        f"{folder.resolve().parent.name}/{name}" if names.count(name) > 1 else name
        for folder, name in zip(folders, names, strict=True)
    ]


def _notes(real: ImageSet, train: ImageSet | None, sets: Sequence[ImageSet]) -> Sequence[str]:
    notes: list[str] = []
    if not real.grouped:
        notes.append(
            Message(
                "The real photographs have no lesion identifiers: each counts as a separate lesion, and "
                "confidence intervals are too narrow."
            )
        )
    if train is None:
        notes.append(Message("Copies are not checked: for that, name the training photographs with --train."))
    for one in sets:
        missing = [code for code in real.counts if one.counts and code not in one.counts]
        if missing:
            notes.append(Message("{name} has no image of {codes}.", name=one.name, codes=", ".join(missing)))
        extra = [code for code in one.counts if real.counts and code not in real.counts]
        if extra:
            notes.append(Message("There are no real photographs of {codes}.", codes=", ".join(extra)))
        if len(one) < FEWEST:
            notes.append(
                Message("{name} has only %n image(s): most metrics are unreliable.", name=one.name, n=len(one))
            )
    smallest = min(sets, key=lambda one: one.side)
    if smallest.side < max(one.side for one in sets):
        notes.append(
            Message(
                "All sets are compared at {side} × {side} pixels, because {name} is no larger.",
                side=smallest.side, name=smallest.name,
            )
        )  # fmt: skip
    if len(real) < FEWEST:
        notes.append(Message("Only %n real photograph(s): most metrics are unreliable.", n=len(real)))
    return notes
