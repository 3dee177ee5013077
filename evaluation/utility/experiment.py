"""The experiment from folders to a verdict: arm by arm, seed by seed, resumable at each."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import reports
from core.cancel import CancelToken
from core.events import Event, Notice, Progress
from core.files.atomic import output_errors
from core.files.folder_lock import FolderLock
from core.files.own import own_work_folder
from core.files.text import finite_json
from core.jobs.stream import JobContext, JobStopped, stream
from core.keeping import replace_kept_text
from core.message import Message
from core.version import __version__
from evaluation.finding import Finding
from evaluation.report import created_now
from evaluation.sets import refuse_missing
from evaluation.utility.arms import Arm, plan_arms
from evaluation.utility.data import Material, read_material
from evaluation.utility.request import (
    ArmTrained,
    UtilityFinished,
    UtilityRequest,
    UtilityStarted,
)
from evaluation.utility.sections import answer_section, arms_section, data_section, report_of
from evaluation.utility.statistics import HEADLINE, lesion_weights, scores_of
from evaluation.utility.store import RUNS, Store
from evaluation.utility.training import ArmTrainer, Outcome, config_of
from evaluation.utility.verdict import ArmResult, differences, judge
from reports.html import render_html
from training.run_folder import before, unless_refused

FORMAT: Final = 1
RESULTS_FILE: Final = "results.json"
REPORT_FILE: Final = "report.html"
FIRST_SEED: Final = 42
READING: Final = 0.05
"""Share of the time for reading the images."""

_TOLD: Final = 20
"""Progress events of one training."""


def run_experiment(request: UtilityRequest, cancel: CancelToken) -> Iterator[Event]:
    """Carry an experiment out.

    What is finished in its folder with the same images and settings is kept, so the same call goes on where an earlier
    one was stopped.

    Yields
    ------
    Event
        UtilityStarted, Progress, ArmTrained, Notice; the last is UtilityFinished.

    Raises
    ------
    InputRefusedError
        If the images cannot be used; see `data.read_material`.
    OutputError
        If the folder cannot be written, or another experiment is at work in it.
    """
    refuse_missing(request.train, request.test, *request.synthetic)
    was = before(request.output)
    with output_errors(request.output):
        own_work_folder(request.output, (RUNS, RESULTS_FILE, REPORT_FILE, "lock*"))
    with unless_refused(request.output, was), FolderLock(request.output):
        yield from _Experiment(request, cancel).run()


@dataclass
class _Experiment:
    request: UtilityRequest
    cancel: CancelToken

    def run(self) -> Iterator[Event]:
        settings = self.request.settings
        arms = plan_arms(settings.ratios)
        config_of(settings.training, arms[0], FIRST_SEED, self.request.device)  # before minutes of reading
        try:
            material = yield from stream(self._read, self.cancel)
            yield self._started(arms, material)
            yield from (Notice("data", note) for note in material.notes)
            results = yield from self._results(arms, material)
        except JobStopped:
            yield UtilityFinished("stopped", self.request.output)
            return
        yield Progress(0, 0, "", Message("Writing the report"), 1.0)
        yield self._write(results, material)

    def _read(self, context: JobContext) -> Material:
        reading = context.part(0, READING, Message("Reading the images"))
        reading.progress(0, 1)
        return read_material(self.request, reading)

    def _results(self, arms: Sequence[Arm], material: Material) -> Generator[Event, None, list[ArmResult]]:
        settings = self.request.settings
        store = Store(self.request.output, material.fingerprint, settings.training)
        trainer = ArmTrainer(material, settings.training, self.request.device)
        truth, validation = material.test.labels.numpy(), material.validation.labels.numpy()
        weights = lesion_weights(material.test.lesions, truth)
        results = []
        for number, arm in enumerate(arms):
            outcomes = []
            for index in range(settings.seeds):
                begun = number * settings.seeds + index
                total = len(arms) * settings.seeds
                outcomes.append((yield from self._outcome(store, trainer, arm, FIRST_SEED + index, begun, total)))
            results.append(ArmResult(arm, tuple(outcomes), scores_of(outcomes, truth, validation, weights)))
        return results

    def _outcome(
        self, store: Store, trainer: ArmTrainer, arm: Arm, seed: int, begun: int, total: int
    ) -> Generator[Event, None, Outcome]:
        """Return a training, which is found finished or is carried out; `begun` of `total` trainings lie behind."""
        JobContext(self.cancel).check()
        outcome = store.read(arm, seed)
        is_kept = outcome is not None
        if outcome is None:
            outcome = yield from self._train(trainer, arm, seed, begun, total)
            store.write(arm, seed, outcome)
        yield ArmTrained(arm.key, arm.title, seed, outcome.score, is_kept)
        return outcome

    def _train(
        self, trainer: ArmTrainer, arm: Arm, seed: int, begun: int, total: int
    ) -> Generator[Event, None, Outcome]:
        steps = self.request.settings.training.steps
        every = max(1, steps // _TOLD)
        words = Message("Training: {arm}, seed {seed}", arm=arm.title, seed=seed)
        running = trainer.train(arm, seed)
        while True:
            try:
                step = next(running)
            except StopIteration as end:
                return end.value
            JobContext(self.cancel).check()
            if step % every == 0 or step == steps:
                fraction = READING + (1 - READING) * (begun + step / steps) / total
                yield Progress(step, steps, "", words, round(fraction, 4))

    def _started(self, arms: Sequence[Arm], material: Material) -> UtilityStarted:
        return UtilityStarted(
            self.request.output,
            tuple(arm.key for arm in arms),
            self.request.settings.seeds,
            self.request.settings.training.steps,
            {name: len(part) for name, part in material.parts.items()},
            {name: len(set(part.lesions)) for name, part in material.parts.items()},
        )

    def _write(self, results: Sequence[ArmResult], material: Material) -> UtilityFinished:
        found = differences(results, HEADLINE)
        verdict = judge(results, found, len(set(material.test.lesions)), material.copies_of_test)
        sections = (
            answer_section(verdict, found, results),
            arms_section(results),
            data_section(self.request, material),
        )
        output, created = self.request.output, created_now()
        with output_errors(output):
            replace_kept_text(output / RESULTS_FILE, finite_json(self._json(sections, created)))
            reports.write(output / REPORT_FILE, render_html(report_of(sections, created)))
        return UtilityFinished(
            "completed",
            output,
            output / RESULTS_FILE,
            output / REPORT_FILE,
            verdict.level,
            verdict.words,
            {f"{difference.arm} - {difference.than}": difference.interval.to_json() for difference in found},
        )

    def _json(self, sections: Sequence[Finding], created: str) -> dict[str, Any]:
        request, settings = self.request, self.request.settings
        return {
            "format": FORMAT,
            "product_version": __version__,
            "created": created,
            "settings": {
                "train": request.train.name,
                "test": None if request.test is None else request.test.name,
                "synthetic": [path.name for path in request.synthetic],
                "ratios": list(settings.ratios),
                "seeds": settings.seeds,
                "training": asdict(settings.training),
                "curate": request.curate,
            },
            "sections": {
                section.key: {
                    "title": section.title,
                    "verdict": {"level": section.level, "words": str(section.verdict)},
                    **section.data,
                }
                for section in sections
            },
        }
